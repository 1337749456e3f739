//! Powers of doubles to the last bit as Terraform's runtime computes them: by squaring the mantissa, which rounds otherwise
//! than the processor's library does.

/// `base` to the power of `exponent`.
pub(super) fn pow(base: f64, exponent: f64) -> f64 {
    if exponent == 0.0 || base == 1.0 {
        return 1.0;
    }
    if base == 0.0 || exponent == 1.0 || !base.is_finite() || !exponent.is_finite() {
        return base.powf(exponent);
    }
    if exponent == 0.5 {
        return base.sqrt();
    }
    if exponent == -0.5 {
        return 1.0 / base.sqrt();
    }
    let (mut whole, mut part) = (exponent.abs().trunc(), exponent.abs().fract());
    if (part != 0.0 && base < 0.0) || whole >= 9.2e18 {
        return base.powf(exponent);
    }
    let mut result = 1.0_f64;
    let mut scale = 0_i64;
    if part != 0.0 {
        if part > 0.5 {
            part -= 1.0;
            whole += 1.0;
        }
        result = (part * base.ln()).exp();
    }
    let (mut mantissa, mut power) = split(base);
    let mut left = whole as i64;
    while left != 0 {
        if !(-4096..=4096).contains(&power) {
            // Far beyond what can be represented, one way or the other.
            scale += power;
            break;
        }
        if left & 1 == 1 {
            result *= mantissa;
            scale += power;
        }
        mantissa *= mantissa;
        power <<= 1;
        if mantissa < 0.5 {
            mantissa += mantissa;
            power -= 1;
        }
        left >>= 1;
    }
    if exponent < 0.0 {
        result = 1.0 / result;
        scale = -scale;
    }
    join(result, scale)
}

/// A finite number other than zero as a mantissa from 0.5 to 1 and a power of two.
fn split(number: f64) -> (f64, i64) {
    let (number, shift) = if number.abs() < f64::MIN_POSITIVE { (number * 2_f64.powi(52), -52) } else { (number, 0) };
    let bits = number.to_bits();
    let power = ((bits >> 52) & 0x7ff) as i64 - 1022;
    (f64::from_bits((bits & !(0x7ff << 52)) | (1022 << 52)), power + shift)
}

/// A mantissa times a power of two.
fn join(mantissa: f64, power: i64) -> f64 {
    let mut result = mantissa;
    let mut left = power.clamp(-4000, 4000) as i32;
    while left != 0 {
        let step = left.clamp(-1000, 1000);
        result *= 2_f64.powi(step);
        left -= step;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::pow;

    #[test]
    fn rounds_as_terraform_does() {
        let check = |base: f64, exponent: f64, expect: f64| {
            assert_eq!(pow(base, exponent).to_bits(), expect.to_bits(), "{base} ^ {exponent}");
        };
        check(2.0, 10.0, 1024.0);
        check(2.0, -2.0, 0.25);
        check(-3.0, 3.0, -27.0);
        check(0.1, 36.0, 1.000_000_000_000_004e-36);
        check(10.0, 400.0, f64::INFINITY);
        check(10.0, -400.0, 0.0);
        check(4.0, 0.5, 2.0);
        check(0.0, 3.0, 0.0);
    }
}
