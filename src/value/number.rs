//! Numbers of the language: binary floating point of 512 bits, rounded half to even, with a fast path for 64-bit integers.
//!
//! Terraform keeps numbers this way, and users see it: `1/3` prints 155 digits and `0.1 * 3 == 0.3` holds. Every finite
//! number has one representation here, so that equality, order and hashes need no care: `Int` whenever it is integral and
//! fits, else an odd mantissa of at most 512 bits and a power of two.
//!
//! Known deviation: Terraform keeps 64 bits of precision for quotients of two lengths and 53 for results of `pow` and
//! `log`. Here every number has 512; the text of a 53-bit result is the same, since it is read from its shortest text.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use dashu_int::ops::BitTest;
use dashu_int::{IBig, Sign, UBig};

use super::number_text::{self, Decimal};

/// Bits of the mantissa.
pub(super) const PRECISION: usize = 512;

/// Numbers of a magnitude of 2 to this power and above are infinite, below its inverse zero. Terraform has such a limit
/// too, at 2³¹; a lower one keeps hostile exponents from costing memory when the number is written out.
pub(super) const MAX_EXPONENT: i64 = 1 << 18;

/// A number. Cloning costs at most one reference count.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Int(i64),
    Big(Arc<Big>),
    Infinite { negative: bool },
}

/// `mantissa` × 2^`exponent`; the mantissa is odd and has at most 512 bits, and the number is not an `Int`.
#[derive(PartialEq, Eq, Hash)]
struct Big {
    mantissa: IBig,
    exponent: i64,
}

/// Why there is no such number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The text is not a decimal number.
    #[error("a number is required")]
    NotANumber,
    /// `0 / 0`, `∞ - ∞` and their like.
    #[error("the result of the operation is not a number")]
    Undefined,
}

/// A number taken apart for writing.
pub(super) enum Parts<'a> {
    /// It fits.
    Int(i64),
    /// Mantissa and power of two.
    Big(&'a IBig, i64),
    /// Infinity.
    Infinite { negative: bool },
}

impl Number {
    /// Zero.
    pub const ZERO: Number = Number(Repr::Int(0));
    /// One.
    pub const ONE: Number = Number(Repr::Int(1));

    /// Reads a decimal number: digits with an optional sign, fraction and exponent (`-1.5e3`), or `inf`. Exponents beyond
    /// the limit give infinity or zero, as in Terraform; they cost nothing.
    ///
    /// # Errors
    /// When the text is anything else, or its exponent does not fit 64 bits.
    pub fn parse(text: &str) -> Result<Number, NumberError> {
        number_text::parse(text)
    }

    /// The number nearest to `mantissa` × 2^`exponent`.
    pub(super) fn from_parts(mantissa: IBig, exponent: i64) -> Number {
        Self::round(mantissa, exponent, false)
    }

    /// `numerator` / `denominator` × 2^`exponent`, rounded once. The denominator is not zero.
    pub(super) fn from_ratio(numerator: IBig, denominator: &IBig, exponent: i64) -> Number {
        if numerator.is_zero() {
            return Number::ZERO;
        }
        // Enough bits for the mantissa, one to round by and one to spare; the remainder says whether anything follows.
        let missing = (PRECISION + 2 + denominator.bit_len()).saturating_sub(numerator.bit_len());
        let shifted = numerator << missing;
        let quotient = &shifted / denominator;
        let rest = !(shifted - &quotient * denominator).is_zero();
        Self::round(quotient, exponent - missing as i64, rest)
    }

    /// Positive or negative infinity.
    pub(super) fn infinite(negative: bool) -> Number {
        Number(Repr::Infinite { negative })
    }

    pub(super) fn parts(&self) -> Parts<'_> {
        match &self.0 {
            Repr::Int(int) => Parts::Int(*int),
            Repr::Big(big) => Parts::Big(&big.mantissa, big.exponent),
            Repr::Infinite { negative } => Parts::Infinite { negative: *negative },
        }
    }

    /// Rounds half to even to 512 bits and puts the number into its one representation. `rest`: a fraction of the last
    /// bit follows (then the mantissa has more than 512 bits).
    fn round(mantissa: IBig, exponent: i64, rest: bool) -> Number {
        let (sign, mut magnitude) = mantissa.into_parts();
        let mut exponent = exponent;
        if magnitude.is_zero() {
            return Number::ZERO;
        }
        let bits = magnitude.bit_len();
        if bits > PRECISION {
            let drop = bits - PRECISION;
            let half = magnitude.bit(drop - 1);
            let below = rest || magnitude.trailing_zeros().is_some_and(|zeros| zeros < drop - 1);
            magnitude >>= drop;
            exponent += drop as i64;
            if half && (below || magnitude.bit(0)) {
                magnitude += UBig::ONE;
            }
        }
        let zeros = magnitude.trailing_zeros().unwrap_or(0);
        magnitude >>= zeros;
        exponent += zeros as i64;
        let size = magnitude.bit_len() as i64 + exponent;
        let negative = sign == Sign::Negative;
        if size > MAX_EXPONENT {
            return Number::infinite(negative);
        }
        if size < -MAX_EXPONENT {
            return Number::ZERO;
        }
        let mantissa = IBig::from_parts(sign, magnitude);
        if exponent >= 0
            && size <= 64
            && let Ok(int) = i64::try_from(&mantissa << exponent as usize)
        {
            return Number(Repr::Int(int));
        }
        Number(Repr::Big(Arc::new(Big { mantissa, exponent })))
    }

    /// Mantissa and power of two of a finite number.
    fn finite(&self) -> Option<(IBig, i64)> {
        match &self.0 {
            Repr::Int(int) => Some((IBig::from(*int), 0)),
            Repr::Big(big) => Some((big.mantissa.clone(), big.exponent)),
            Repr::Infinite { .. } => None,
        }
    }

    /// The nearest number to a double: the one its shortest decimal text stands for. `None` for NaN.
    pub fn from_f64(value: f64) -> Option<Number> {
        if value.is_nan() {
            None
        } else if value.is_infinite() {
            Some(Number::infinite(value < 0.0))
        } else {
            Number::parse(&value.to_string()).ok()
        }
    }

    /// `self + other`.
    ///
    /// # Errors
    /// Infinities of opposite signs.
    pub fn add(&self, other: &Number) -> Result<Number, NumberError> {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && let Some(sum) = a.checked_add(*b)
        {
            return Ok(Number(Repr::Int(sum)));
        }
        match (self.finite(), other.finite()) {
            (Some((a, i)), Some((b, j))) => {
                let low = i.min(j);
                Ok(Self::round((a << (i - low) as usize) + (b << (j - low) as usize), low, false))
            }
            (None, None) if self != other => Err(NumberError::Undefined),
            (None, _) => Ok(self.clone()),
            (_, None) => Ok(other.clone()),
        }
    }

    /// `self - other`.
    ///
    /// # Errors
    /// Infinities of the same sign.
    pub fn sub(&self, other: &Number) -> Result<Number, NumberError> {
        self.add(&other.neg())
    }

    /// `self * other`.
    ///
    /// # Errors
    /// Zero times infinity.
    pub fn mul(&self, other: &Number) -> Result<Number, NumberError> {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && let Some(product) = a.checked_mul(*b)
        {
            return Ok(Number(Repr::Int(product)));
        }
        match (self.finite(), other.finite()) {
            (Some((a, i)), Some((b, j))) => Ok(Self::round(a * b, i + j, false)),
            _ if self.is_zero() || other.is_zero() => Err(NumberError::Undefined),
            _ => Ok(Number::infinite(self.is_negative() != other.is_negative())),
        }
    }

    /// `self / other`. Division of anything but zero by zero is infinite, as in Terraform.
    ///
    /// # Errors
    /// `0 / 0` and infinity by infinity.
    pub fn div(&self, other: &Number) -> Result<Number, NumberError> {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && *b != 0
            && let Some(quotient) = a.checked_div(*b)
            && quotient.checked_mul(*b) == Some(*a)
        {
            return Ok(Number(Repr::Int(quotient)));
        }
        match (self.finite(), other.finite()) {
            (Some((a, _)), Some((b, _))) if a.is_zero() && b.is_zero() => Err(NumberError::Undefined),
            (Some((a, _)), Some((b, _))) if b.is_zero() => Ok(Number::infinite(a.sign() == Sign::Negative)),
            (Some((a, i)), Some((b, j))) => Ok(Self::from_ratio(a, &b, i - j)),
            (None, None) => Err(NumberError::Undefined),
            (None, Some(_)) => Ok(Number::infinite(self.is_negative() != other.is_negative())),
            (Some(_), None) => Ok(Number::ZERO),
        }
    }

    /// `self % other`, with the sign of `self`. The remainder by zero is `self`, as in Terraform.
    ///
    /// # Errors
    /// Zero by infinity and infinity by zero.
    pub fn rem(&self, other: &Number) -> Result<Number, NumberError> {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0) {
            return Ok(if *b == 0 { self.clone() } else { Number(Repr::Int(a.wrapping_rem(*b))) });
        }
        if self.is_infinite() || other.is_infinite() {
            return self.mul(other);
        }
        if other.is_zero() {
            return Ok(self.clone());
        }
        // By way of the rounded quotient, because Terraform's remainders of huge numbers are inexact in this way.
        self.sub(&self.div(other)?.trunc().mul(other)?)
    }

    /// `-self`.
    #[must_use]
    pub fn neg(&self) -> Number {
        match &self.0 {
            Repr::Int(int) => match int.checked_neg() {
                Some(int) => Number(Repr::Int(int)),
                None => Self::round(-IBig::from(*int), 0, false),
            },
            Repr::Big(big) => Self::round(-big.mantissa.clone(), big.exponent, false),
            Repr::Infinite { negative } => Number::infinite(!negative),
        }
    }

    /// The magnitude.
    #[must_use]
    pub fn abs(&self) -> Number {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    /// The whole number towards zero.
    #[must_use]
    pub fn trunc(&self) -> Number {
        match &self.0 {
            Repr::Big(big) if big.exponent < 0 => {
                let (sign, magnitude) = big.mantissa.clone().into_parts();
                Self::round(IBig::from_parts(sign, magnitude >> big.exponent.unsigned_abs() as usize), 0, false)
            }
            _ => self.clone(),
        }
    }

    /// The greatest whole number not above it.
    #[must_use]
    pub fn floor(&self) -> Number {
        let whole = self.trunc();
        if whole > *self { whole.sub(&Number::ONE).unwrap_or(whole) } else { whole }
    }

    /// The least whole number not below it.
    #[must_use]
    pub fn ceil(&self) -> Number {
        self.neg().floor().neg()
    }

    /// `self` to the power of `exponent`, computed with doubles as Terraform does. `None` where the result is not a number.
    pub fn pow(&self, exponent: &Number) -> Option<Number> {
        Number::from_f64(super::number_pow::pow(self.as_f64(), exponent.as_f64()))
    }

    /// The logarithm of `self` to a base, computed with doubles as Terraform does. `None` where the result is not a number.
    pub fn log(&self, base: &Number) -> Option<Number> {
        Number::from_f64(self.as_f64().ln() / base.as_f64().ln())
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        matches!(self.0, Repr::Int(0))
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Int(int) => *int < 0,
            Repr::Big(big) => big.mantissa.sign() == Sign::Negative,
            Repr::Infinite { negative } => *negative,
        }
    }

    /// Whether it is infinite. Such a number cannot be stored.
    pub fn is_infinite(&self) -> bool {
        matches!(self.0, Repr::Infinite { .. })
    }

    /// Whether it is finite and whole.
    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Int(_) => true,
            Repr::Big(big) => big.exponent >= 0,
            Repr::Infinite { .. } => false,
        }
    }

    /// The number, if it is whole and fits.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(int) => Some(*int),
            _ => None,
        }
    }

    /// The number, if it is whole and fits.
    pub fn as_u64(&self) -> Option<u64> {
        match &self.0 {
            Repr::Int(int) => u64::try_from(*int).ok(),
            Repr::Big(big) if big.exponent >= 0 && big.mantissa.bit_len() as i64 + big.exponent <= 64 => {
                u64::try_from(&big.mantissa << big.exponent as usize).ok()
            }
            _ => None,
        }
    }

    /// The number, if it is whole and fits.
    pub fn as_usize(&self) -> Option<usize> {
        usize::try_from(self.as_i64()?).ok()
    }

    /// The nearest double; infinite where the number is too large.
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Repr::Int(int) => *int as f64,
            Repr::Big(_) => self.to_string().parse().unwrap_or(f64::NAN),
            Repr::Infinite { negative: true } => f64::NEG_INFINITY,
            Repr::Infinite { negative: false } => f64::INFINITY,
        }
    }

    /// The shortest decimal digits that read back as the same number. `None` for infinities.
    pub fn decimal(&self) -> Option<Decimal> {
        number_text::to_decimal(self, false)
    }

    /// All decimal digits. `None` for infinities.
    pub fn exact_decimal(&self) -> Option<Decimal> {
        number_text::to_decimal(self, true)
    }

    /// A whole number, whatever its size, in exact form.
    pub fn as_integer(&self) -> Option<IBig> {
        match &self.0 {
            Repr::Int(int) => Some(IBig::from(*int)),
            Repr::Big(big) if big.exponent >= 0 => Some(&big.mantissa << big.exponent as usize),
            _ => None,
        }
    }
}

impl Default for Number {
    fn default() -> Self {
        Number::ZERO
    }
}

impl From<i64> for Number {
    fn from(int: i64) -> Self {
        Number(Repr::Int(int))
    }
}

impl From<u64> for Number {
    fn from(int: u64) -> Self {
        match i64::try_from(int) {
            Ok(int) => Number(Repr::Int(int)),
            Err(_) => Number::round(IBig::from(int), 0, false),
        }
    }
}

impl From<IBig> for Number {
    fn from(int: IBig) -> Self {
        Number::round(int, 0, false)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0) {
            return a.cmp(b);
        }
        if self.is_negative() != other.is_negative() {
            return other.is_negative().cmp(&self.is_negative());
        }
        match (self.finite(), other.finite()) {
            (Some((a, i)), Some((b, j))) => {
                let low = i.min(j);
                (a << (i - low) as usize).cmp(&(b << (j - low) as usize))
            }
            // The signs agree from here on.
            (None, None) => Ordering::Equal,
            (None, Some(_)) if self.is_negative() => Ordering::Less,
            (Some(_), None) if !self.is_negative() => Ordering::Less,
            _ => Ordering::Greater,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    /// The shortest decimal text that stands for the same number, without an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        number_text::write(self, f)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
#[path = "number_test.rs"]
mod tests;
