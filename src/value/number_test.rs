//! Expectations are what `terraform console` 1.11.4 prints.

use super::*;

fn number(text: &str) -> Result<Number, NumberError> {
    Number::parse(text)
}

#[test]
fn reads_and_writes_as_terraform() -> Result<(), NumberError> {
    let third = format!("0.{}5", "3".repeat(154));
    for (text, expect) in [
        ("0", "0"),
        ("007", "7"),
        ("-1", "-1"),
        ("+1", "1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("1e-30", "0.000000000000000000000000000001"),
        ("1p3", "8"),
        ("0.1", "0.1"),
        ("0.3", "0.3"),
        ("3.14159265358979323846264338327950288", "3.14159265358979323846264338327950288"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "9223372036854775808"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("12345678901234567890123456789012345678901234567890", "12345678901234567890123456789012345678901234567890"),
        ("1e999999999", "+Inf"),
        ("-1e999999999", "-Inf"),
        ("1e-999999999", "0"),
        ("inf", "+Inf"),
        (&third, &third),
    ] {
        assert_eq!(number(text)?.to_string(), expect, "{text}");
    }
    assert_eq!(number("1e400")?.to_string(), format!("1{}", "0".repeat(400)));
    for text in
        ["", " 1", "1 ", "0x10", "1_000", "1e", "e1", ".", "-", "1e99999999999999999999", "--1", "1.2.3", "1e+-3", "١"]
    {
        assert_eq!(number(text), Err(NumberError::NotANumber), "{text}");
    }
    Ok(())
}

#[test]
fn computes_as_terraform() -> Result<(), NumberError> {
    let third = format!("0.{}5", "3".repeat(154));
    for (left, operator, right, expect) in [
        ("1", '/', "3", third.as_str()),
        ("0.1", '*', "3", "0.3"),
        ("0.1", '+', "0.2", "0.3"),
        (&third, '*', "3", "1"),
        ("9223372036854775807", '+', "1", "9223372036854775808"),
        ("9223372036854775808", '-', "1", "9223372036854775807"),
        ("-9223372036854775808", '-', "1", "-9223372036854775809"),
        (
            "12345678901234567890123456789012345678901234567890",
            '+',
            "1",
            "12345678901234567890123456789012345678901234567891",
        ),
        ("5", '%', "-3", "2"),
        ("-5", '%', "3", "-2"),
        ("5.5", '%', "2", "1.5"),
        ("-5.5", '%', "2", "-1.5"),
        ("5", '%', "0", "5"),
        ("1e200", '%', "7", "0"),
        ("-9223372036854775808", '%', "-1", "0"),
        ("-9223372036854775808", '/', "-1", "9223372036854775808"),
        ("7", '/', "2", "3.5"),
        ("6", '/', "2", "3"),
        ("1", '/', "0", "+Inf"),
        ("-1", '/', "0", "-Inf"),
        ("1", '/', "inf", "0"),
        ("2", '^', "0.5", "1.4142135623730951"),
        ("10", '^', "400", "+Inf"),
        ("0", 'l', "10", "-Inf"),
        ("16", 'l', "2", "4"),
    ] {
        let (a, b) = (number(left)?, number(right)?);
        let result = match operator {
            '+' => a.add(&b)?,
            '-' => a.sub(&b)?,
            '*' => a.mul(&b)?,
            '/' => a.div(&b)?,
            '%' => a.rem(&b)?,
            '^' => a.pow(&b).ok_or(NumberError::Undefined)?,
            _ => a.log(&b).ok_or(NumberError::Undefined)?,
        };
        assert_eq!(result.to_string(), expect, "{left} {operator} {right}");
    }
    assert_eq!(Number::ZERO.div(&Number::ZERO), Err(NumberError::Undefined));
    assert_eq!(number("inf")?.sub(&number("inf")?), Err(NumberError::Undefined));
    Ok(())
}

#[test]
fn rounds_to_whole_numbers() -> Result<(), NumberError> {
    for (text, floor, ceil, trunc) in [
        ("1.5", "1", "2", "1"),
        ("-1.5", "-2", "-1", "-1"),
        ("0.1", "0", "1", "0"),
        ("-0.1", "-1", "0", "0"),
        ("3", "3", "3", "3"),
        ("inf", "+Inf", "+Inf", "+Inf"),
    ] {
        let number = number(text)?;
        let got = [number.floor(), number.ceil(), number.trunc()].map(|number| number.to_string());
        assert_eq!(got, [floor, ceil, trunc], "{text}");
    }
    Ok(())
}

#[test]
fn orders_and_converts() -> Result<(), NumberError> {
    let sorted = [
        "-inf",
        "-1e300",
        "-9223372036854775809",
        "-9223372036854775808",
        "-1.5",
        "-1",
        "0",
        "1e-300",
        "0.1",
        "1",
        "1.5",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "1e300",
        "inf",
    ];
    let numbers = sorted.iter().map(|text| number(text)).collect::<Result<Vec<_>, _>>()?;
    for (i, a) in numbers.iter().enumerate() {
        for (j, b) in numbers.iter().enumerate() {
            assert_eq!(a.cmp(b), i.cmp(&j), "{a} {b}");
            assert_eq!(a == b, i == j, "{a} {b}");
        }
    }
    assert_eq!(number("18446744073709551615")?.as_u64(), Some(u64::MAX));
    assert_eq!(number("18446744073709551616")?.as_u64(), None);
    assert_eq!(number("18446744073709551616")?.as_i64(), None);
    assert_eq!(number("-1")?.as_u64(), None);
    assert_eq!(number("1.0")?, Number::ONE);
    assert_eq!(Number::from(u64::MAX), number("18446744073709551615")?);
    assert_eq!(Number::from_f64(0.1), Some(number("0.1")?));
    assert_eq!(Number::from_f64(f64::NAN), None);
    assert_eq!(number("0.1")?.as_f64(), 0.1);
    Ok(())
}

proptest::proptest! {
    #[test]
    fn text_reads_back(mantissa: i128, scale in -400i64..400) {
        let a = number(&format!("{mantissa}e{scale}"))?;
        proptest::prop_assert_eq!(number(&a.to_string())?, a);
    }

    #[test]
    fn arithmetic_agrees_with_integers(a: i64, b: i64) {
        let (x, y) = (Number::from(a), Number::from(b));
        let wide = |n: i128| Number::from(IBig::from(n));
        proptest::prop_assert_eq!(x.add(&y)?, wide(a as i128 + b as i128));
        proptest::prop_assert_eq!(x.mul(&y)?, wide(a as i128 * b as i128));
        proptest::prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        if b != 0 {
            proptest::prop_assert_eq!(x.div(&y)?.trunc(), wide(a as i128 / b as i128));
            proptest::prop_assert_eq!(x.rem(&y)?, wide(a as i128 % b as i128));
        }
    }
}
