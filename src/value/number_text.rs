//! Decimal text of numbers: reading with correct rounding, and writing the shortest text that reads back the same.

use std::fmt::{self, Write};

use dashu_int::ops::BitTest;
use dashu_int::{IBig, Sign, UBig};

use super::number::{MAX_EXPONENT, Number, NumberError, PRECISION, Parts};

/// Reads a decimal number; see [`Number::parse`].
pub(super) fn parse(text: &str) -> Result<Number, NumberError> {
    // The ordinary case: a short whole number.
    if text.len() < 19 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<i64>().map(Number::from).map_err(|_| NumberError::NotANumber);
    }
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if unsigned == "inf" || unsigned == "Inf" {
        return Ok(Number::infinite(negative));
    }
    let (decimal, exponent, binary) = match unsigned.find(['e', 'E', 'p', 'P']) {
        Some(at) => {
            let exponent = &unsigned[at + 1..];
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(NumberError::NotANumber);
            }
            let exponent: i64 = exponent.parse().map_err(|_| NumberError::NotANumber)?;
            (&unsigned[..at], exponent, matches!(unsigned.as_bytes()[at], b'p' | b'P'))
        }
        None => (unsigned, 0, false),
    };
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::NotANumber);
    }
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Ok(Number::ZERO);
    }
    // How many digits stand before the point once the decimal exponent is applied.
    let decimal_exponent = if binary { 0 } else { exponent };
    let binary_exponent = if binary { exponent } else { 0 };
    let scale = decimal_exponent.saturating_sub(fraction.len() as i64);
    let magnitude = scale.saturating_add(significant.len() as i64);
    // A decimal digit is worth less than four bits and more than three; what is surely out of range is decided here, before
    // anything is computed, and the rest by rounding.
    let bits = (
        magnitude.saturating_mul(3).saturating_add(binary_exponent),
        magnitude.saturating_mul(4).saturating_add(binary_exponent),
    );
    if bits.0.min(bits.1) > MAX_EXPONENT + 8 {
        return Ok(Number::infinite(negative));
    }
    if bits.0.max(bits.1) < -MAX_EXPONENT - 8 {
        return Ok(Number::ZERO);
    }
    let magnitude: UBig = significant.parse().map_err(|_| NumberError::NotANumber)?;
    let mantissa = IBig::from_parts(if negative { Sign::Negative } else { Sign::Positive }, magnitude);
    let power = UBig::from(5u8).pow(scale.unsigned_abs() as usize);
    Ok(if scale >= 0 {
        Number::from_parts(mantissa * power, scale.saturating_add(binary_exponent))
    } else {
        Number::from_ratio(mantissa, &IBig::from(power), scale.saturating_add(binary_exponent))
    })
}

/// A finite number as decimal digits.
pub struct Decimal {
    /// Whether it is below zero.
    pub negative: bool,
    /// Its digits in ASCII, without zeros at either end; none for zero.
    pub digits: Vec<u8>,
    /// How many digits stand before the point; zeros fill what is missing on either side.
    pub point: i64,
}

impl Decimal {
    /// Keeps `count` digits, rounding half to even.
    pub fn round(&mut self, count: i64) {
        let Ok(keep) = usize::try_from(count) else {
            self.digits.clear();
            return;
        };
        if keep >= self.digits.len() {
            return;
        }
        let odd = keep > 0 && (self.digits[keep - 1] - b'0') % 2 == 1;
        let half = self.digits.len() == keep + 1 && self.digits[keep] == b'5';
        let up = if half { odd } else { self.digits[keep] >= b'5' };
        self.digits.truncate(keep);
        if up {
            self.point += round_up(&mut self.digits);
        }
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
    }
}

/// All digits of a number, or the shortest ones that read back the same. `None` for infinities.
pub(super) fn to_decimal(number: &Number, exact: bool) -> Option<Decimal> {
    let (mantissa, exponent) = match number.parts() {
        Parts::Int(int) => (IBig::from(int), 0),
        Parts::Infinite { .. } => return None,
        Parts::Big(mantissa, exponent) => (mantissa.clone(), exponent),
    };
    let (sign, magnitude) = mantissa.into_parts();
    if magnitude.is_zero() {
        return Some(Decimal { negative: false, digits: Vec::new(), point: 0 });
    }
    let (digits, point) =
        if exact || number.as_i64().is_some() { decimal(magnitude, exponent) } else { shortest(magnitude, exponent) };
    Some(Decimal { negative: sign == Sign::Negative, digits, point })
}

/// Writes the shortest decimal text that reads back as the same number.
pub(super) fn write(number: &Number, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (mantissa, exponent) = match number.parts() {
        Parts::Int(int) => return write!(f, "{int}"),
        Parts::Infinite { negative } => return f.write_str(if negative { "-Inf" } else { "+Inf" }),
        Parts::Big(mantissa, exponent) => (mantissa, exponent),
    };
    if mantissa.sign() == Sign::Negative {
        f.write_char('-')?;
    }
    let (_, magnitude) = mantissa.clone().into_parts();
    let (digits, point) = shortest(magnitude, exponent);
    if point <= 0 {
        f.write_str("0.")?;
        for _ in point..0 {
            f.write_char('0')?;
        }
        return write_digits(&digits, f);
    }
    let point = point as usize;
    if point >= digits.len() {
        write_digits(&digits, f)?;
        for _ in digits.len()..point {
            f.write_char('0')?;
        }
        return Ok(());
    }
    write_digits(&digits[..point], f)?;
    f.write_char('.')?;
    write_digits(&digits[point..], f)
}

fn write_digits(digits: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(&String::from_utf8_lossy(digits))
}

/// The digits, without zeros at the end, and how many of them stand before the point, of the shortest decimal number that
/// lies nearer to `mantissa` × 2^`exponent` than to any other number of 512 bits.
fn shortest(mantissa: UBig, exponent: i64) -> (Vec<u8>, i64) {
    // In units of half of the last bit: the number and the ends of the interval that rounds to it.
    let shift = PRECISION + 1 - mantissa.bit_len();
    let even = shift > 1 || !mantissa.bit(0);
    let middle = mantissa << shift;
    let exponent = exponent - shift as i64;
    let lower = decimal(&middle - UBig::ONE, exponent);
    let upper = decimal(&middle + UBig::ONE, exponent);
    let (mut digits, mut point) = decimal(middle, exponent);
    let at = |(digits, _): &(Vec<u8>, i64), index: usize| digits.get(index).copied().unwrap_or(b'0');
    for index in 0..digits.len() {
        let (low, digit, high) = (at(&lower, index), digits[index], at(&upper, index));
        // Cutting off here stays above the lower end; rounding up here stays below the upper end.
        let down = low != digit || even && index + 1 == lower.0.len();
        let up = digit != high && (even || digit + 1 < high || index + 1 < upper.0.len());
        if !down && !up {
            continue;
        }
        let nearer_up = match digits.get(index + 1) {
            None => false,
            Some(b'5') if index + 2 == digits.len() => digit % 2 == 1,
            Some(next) => *next >= b'5',
        };
        digits.truncate(index + 1);
        if up && (!down || nearer_up) {
            point += round_up(&mut digits);
        }
        break;
    }
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    (digits, point)
}

/// Adds one to the last digit; gives 1 when the number became longer by a digit.
fn round_up(digits: &mut Vec<u8>) -> i64 {
    while let Some(last) = digits.last_mut() {
        if *last < b'9' {
            *last += 1;
            return 0;
        }
        digits.pop();
    }
    digits.push(b'1');
    1
}

/// All digits of `mantissa` × 2^`exponent`, without zeros at the end, and how many stand before the point.
fn decimal(mantissa: UBig, exponent: i64) -> (Vec<u8>, i64) {
    let (scaled, scale) = if exponent >= 0 {
        (mantissa << exponent as usize, 0)
    } else {
        // 2⁻ⁿ is 5ⁿ × 10⁻ⁿ.
        (mantissa * UBig::from(5u8).pow(exponent.unsigned_abs() as usize), exponent)
    };
    let mut digits = scaled.to_string().into_bytes();
    let point = digits.len() as i64 + scale;
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    (digits, point)
}
