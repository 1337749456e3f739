use super::*;
use crate::client::kube::types::rules::formats::{LABEL, SUBDOMAIN};

#[test]
fn texts() {
    let check = |form: &str, text: &str, expect: &[&str]| {
        let found = Form::named(form).map(|form| form.wrong("K", &Value::from(text)));
        assert_eq!(found, Some(expect.iter().map(|why| (*why).to_owned()).collect()), "{form} {text:?}");
    };
    check("name", "a.b-c", &[]);
    check("name", "A", &[&format!("K {SUBDOMAIN}")]);
    check("generate_name", "a-", &[]);
    check("generate_name", "-a-", &[&format!("K {LABEL}")]);
    check("label", "a.b", &[LABEL]);
    check("segment", "system:a", &[]);
    check("segment", "a/b", &["K may not contain '/'"]);
    check("segment", "..", &["K may not be '..'"]);
    check("mode", "0644", &[]);
    check("mode", "01000", &["K (01000) expects octal notation (a value between 0 and 0777)"]);
    check(
        "mode",
        "999",
        &[
            "K: value 999 should start with '0' (octal numeral)",
            "K :Cannot parse octal numeral (\"999\"): strconv.ParseInt: parsing \"999\": invalid syntax",
        ],
    );
    check("path", "a/b", &[]);
    check("path", "/a", &["must be a relative path"]);
    check("path", "a/../b", &["\"K\" must not contain \"..\""]);
    check("path", "..a", &["\"K\" must not start with \"..\""]);
    check("port_or_name", "http", &[]);
    check("port_or_name", "70000", &["K must be between 1 and 65535, inclusive"]);
    check("port_or_name", "a_b", &["K must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"]);
    check("port_or_name", "a--b", &["K must not contain consecutive hyphens"]);
    check("integer", "", &[]);
    check("integer", "x", &["K: cannot parse 'x' as int: strconv.ParseInt: parsing \"x\": invalid syntax"]);
    check("integer_or_percent", "50%", &[]);
    check("integer_or_percent", "150%", &["K: '150%' is not between 0% and 100%"]);
    check("natural_text", "-1", &["K must be greater than or equal to 0"]);
    check("natural_text", "x", &["K is not a valid integer"]);
    check("ip", "1.2.3", &["expected K to contain a valid IP, got: 1.2.3"]);
    check("ip_or_none", "None", &[]);
    check("cidr", "10.0.0.0/8", &[]);
    check("cidr", "x", &["expected \"K\" to be a valid CIDR Value, got x: invalid CIDR address: x"]);
    check("not_blank", " ", &["expected \"K\" to not be an empty string or whitespace"]);
    check("quantity", "1Gi", &[]);
    check("quantity", "1Q", &[&format!("K.1Q : {QUANTITY}")]);
    check("https_url", "https://a.example/b", &[]);
    check("https_url", "http://u@a", &["url: scheme must be https", "url: user info is not permitted"]);
}

#[test]
fn numbers_and_maps() {
    let number = |form: Form, number: i64| form.wrong("K", &Value::int(number)).pop();
    assert_eq!(number(Form::Positive, 0).as_deref(), Some("K must be greater than 0"));
    assert_eq!(number(Form::Natural, -1).as_deref(), Some("K must be greater than or equal to 0"));
    assert_eq!(number(Form::Port, 0).as_deref(), Some("K must be between 1 and 65535, inclusive"));
    assert_eq!(number(Form::PortOrZero, 0), None);
    let expect = "expected \"K\" to be a valid port number, got: 70000";
    assert_eq!(number(Form::PortNumber, 70000).as_deref(), Some(expect));
    let map = |form: Form, key: &str, value: &str| {
        let entries = [(crate::value::Str::from(key), Value::from(value))];
        form.wrong("K", &Value::map(crate::value::Type::String, entries.into_iter().collect()))
    };
    assert_eq!(map(Form::Labels, "a b", "c d").len(), 2);
    assert_eq!(map(Form::Labels, "example.com/a", ""), Vec::<String>::new());
    assert_eq!(map(Form::Annotations, "Example.com/A", "{}"), Vec::<String>::new());
    assert_eq!(map(Form::Annotations, "a/b/c", "").len(), 1);
    assert_eq!(map(Form::Base64, "a", "!"), ["a (\"!\") a: must be a base64-encoded string"]);
    assert_eq!(map(Form::Quantities, "cpu", "x"), [format!("K.cpu (\"x\"): {QUANTITY}")]);
}
