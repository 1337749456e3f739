//! Random expressions that mostly make sense: each is built for a wanted kind of value, now and then with a part of another
//! kind. Heredocs are missing: the console reads a line at a time. The same seed gives the same expression on every machine and with every version of any library.

/// What a value is to be. `Any` is whatever comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Str,
    Num,
    /// A small whole number, such as an index.
    Int,
    Bool,
    Strs,
    Nums,
    StrSet,
    NumSet,
    StrMap,
    NumMap,
    Lists,
    Objects,
    Object,
    Tuple,
    Any,
    // Texts with a meaning.
    Format,
    Moment,
    Span,
    Cidr,
    Regex,
    Json,
    Yaml,
    Base64,
    Csv,
    DateFormat,
    Encoding,
}

use Kind::*;

/// The variables and locals of `expressions/main.tf`.
const NAMES: &[(&str, Kind)] = &[
    ("var.str", Str),
    ("var.num", Num),
    ("var.yes", Bool),
    ("var.words", Strs),
    ("var.nums", Nums),
    ("var.set", StrSet),
    ("var.numset", NumSet),
    ("var.map", StrMap),
    ("var.nummap", NumMap),
    ("var.lists", Lists),
    ("var.obj", Object),
    ("var.objs", Objects),
    ("var.none", Str),
    ("var.nonenum", Num),
    ("var.nonelist", Strs),
    ("var.nonemap", StrMap),
    ("var.empty", Strs),
    ("var.emptyset", StrSet),
    ("var.emptymap", StrMap),
    ("var.secret", Str),
    ("var.secretnum", Num),
    ("var.secretlist", Strs),
    ("var.secretmap", StrMap),
    ("local.unknown", Str),
    ("local.unknownnum", Num),
    ("local.unknownbool", Bool),
    ("local.unknownlist", Strs),
    ("local.unknownset", StrSet),
    ("local.unknownmap", StrMap),
    ("local.partlist", Strs),
    ("local.partset", StrSet),
    ("local.partmap", StrMap),
    ("local.partobj", Object),
    ("local.dynamic", Any),
    ("local.mixed", Tuple),
    ("local.halfsecret", Object),
    ("local.nested", Any),
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "abc",
    "Hello World",
    "Ärger Öl ß",
    "日本語",
    "e\\u0301",
    "👨‍👩‍👧x",
    "true",
    "1",
    "-5",
    "1.50",
    " 12 ",
    "0x1F",
    "1e3",
    "a,b,,c",
    "a\\nb",
    "one\\ntwo\\n",
    "\\\"q\\\"",
    "$${x} %%{y}",
    "\\t",
    "foo/bar.txt",
    "/a/b/../c",
    "ǅ ﬃ İ",
    "aaa",
    "hello-world_x",
    "k1",
    "name",
    "c d",
    "null",
    "[1,2]",
    "ab😀cd",
    "\\u00e9",
    "z",
];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "10",
    "-1",
    "0.5",
    "1.5",
    "-2.75",
    "1e10",
    "123456789012345678901234567890",
    "1e-7",
    "255",
    "9007199254740993",
    "0.1",
    "100",
    "1/3",
    "7",
    "16",
    "-0.5",
    "1e400",
    "4.0",
];
const FORMATS: &[&str] = &[
    "%s",
    "%d",
    "%v",
    "%q",
    "%5d|%-5d",
    "%05.1f",
    "%x",
    "%X",
    "%o",
    "%b",
    "%e",
    "%g",
    "%#v",
    "%t",
    "%5s|%-5s|",
    "%.2s",
    "%%",
    "%[2]s %[1]s",
    "%+d",
    "%s-%s",
    "%d%%",
    "%v %v",
    "%08.3f",
    "%10q",
    "%c",
    "%z",
    "%",
    "%*d",
    "% d",
    "%#x",
    "%T",
    "%.10g",
    "%G",
    "%[3]v",
    "é%3sé",
    "%.0f",
    "%s %d",
];
const MOMENTS: &[&str] = &[
    "2024-01-02T03:04:05Z",
    "1999-12-31T23:59:59+02:00",
    "2024-02-29T00:00:00-11:30",
    "2024-13-01T00:00:00Z",
    "2024-01-02",
    "0001-01-01T00:00:00Z",
    "2024-06-15T12:34:56.789Z",
    "not a time",
];
const SPANS: &[&str] = &["1h", "-30m", "1h30m", "10s", "1.5h", "100ms", "0", "24h", "1d", "", "-1h-1m", "2562047h"];
const CIDRS: &[&str] = &[
    "10.0.0.0/16",
    "192.168.1.0/24",
    "2001:db8::/32",
    "fd00::/8",
    "10.1.2.3/8",
    "0.0.0.0/0",
    "::/0",
    "10.0.0.1/32",
    "10.0.0.0",
    "::ffff:10.0.0.0/104",
    "10.0.0.0/33",
    "2001:DB8:0:0:1::/80",
    "010.0.0.0/8",
    "fe80::1%eth0/64",
];
const REGEXES: &[&str] = &[
    "a",
    "[a-z]+",
    "(\\\\d+)",
    "(?P<first>[a-z])(?P<rest>.*)",
    "^$",
    "(a)(b)?",
    "x*",
    "\\\\s",
    "[",
    "(?i)HELLO",
    "\\\\p{L}+",
    ".",
    "(?s).+",
    "\\\\bw",
    "o(.)",
    "/a/",
    "[^,]+",
];
const JSONS: &[&str] = &[
    "{\\\"a\\\":1,\\\"b\\\":[true,null]}",
    "[1,2.5,\\\"x\\\"]",
    "null",
    "\\\"s\\\"",
    "1e2",
    "{",
    "[]",
    "{}",
    "true",
    " 1 ",
    "{\\\"a\\\":1,\\\"a\\\":2}",
    "1 2",
    "[1,]",
    "\\\"\\\\u00e9\\\"",
    "123456789012345678901234567890",
];
const YAMLS: &[&str] = &[
    "a: 1\\nb: [x, 'y']\\n",
    "- 1\\n- true\\n- ~\\n",
    "x",
    "'x'",
    "a: |\\n  one\\n  two\\n",
    "{a: 1, b: null}",
    "a: [",
    "1.5",
    "0o17",
    "yes",
    "!!str 1",
    "a: &x 1\\nb: *x\\n",
    "? a\\n: b\\n",
    "2024-01-02",
    "0x1F",
    "\\\"\\\\u00e9\\\"",
    "",
    "a: 1\\na: 2\\n",
    "<<: {a: 1}\\nb: 2\\n",
];
const BASE64S: &[&str] = &["YWJj", "YQ==", "YQ", "", "w6k=", "/+8=", "!!", "YWJj\\n"];
const CSVS: &[&str] = &[
    "a,b\\n1,2\\n3,4\\n",
    "a\\n",
    "",
    "a,a\\n1,2\\n",
    "a,b\\n1\\n",
    "\\\"x y\\\",z\\n\\\"1,5\\\",\\\"q\\\"\\\"\\\"\\n",
    "a;b\\n",
];
const DATE_FORMATS: &[&str] = &[
    "YYYY-MM-DD",
    "DD MMM YYYY hh:mm:ss ZZZ",
    "EEEE, MMMM D",
    "h:m:s AA",
    "YYYYMMDDhhmmss",
    "'quoted' YY",
    "EEE d",
    "HH:mm aa",
    "ZZZZ Z",
    "YYYYY",
    "'open",
    "M/D/YY",
    "'it''s'",
];
const ENCODINGS: &[&str] = &["UTF-8", "UTF-16LE", "ISO-8859-1", "windows-1252", "Shift_JIS", "nope", "utf8"];

/// Functions: what they give, their name, what they take. A last `*` takes any number of the kind before it.
const FUNCTIONS: &[(Kind, &str, &[Kind])] = &[
    (Num, "abs", &[Num]),
    (Num, "ceil", &[Num]),
    (Num, "floor", &[Num]),
    (Num, "signum", &[Num]),
    (Num, "log", &[Num, Num]),
    (Num, "pow", &[Num, Int]),
    (Num, "max", &[Num, Num, Num]),
    (Num, "min", &[Num, Num]),
    (Num, "sum", &[Nums]),
    (Num, "parseint", &[Str, Int]),
    (Num, "length", &[Any]),
    (Num, "length", &[Str]),
    (Num, "index", &[Strs, Str]),
    (Num, "tonumber", &[Str]),
    (Num, "timecmp", &[Moment, Moment]),
    (Bool, "alltrue", &[Tuple]),
    (Bool, "anytrue", &[Tuple]),
    (Bool, "can", &[Any]),
    (Bool, "contains", &[Strs, Str]),
    (Bool, "contains", &[NumSet, Num]),
    (Bool, "startswith", &[Str, Str]),
    (Bool, "endswith", &[Str, Str]),
    (Bool, "strcontains", &[Str, Str]),
    (Bool, "issensitive", &[Any]),
    (Bool, "tobool", &[Str]),
    (Str, "base64decode", &[Base64]),
    (Str, "base64encode", &[Str]),
    (Str, "base64sha256", &[Str]),
    (Str, "base64sha512", &[Str]),
    (Str, "base64gzip", &[Str]),
    (Str, "basename", &[Str]),
    (Str, "dirname", &[Str]),
    (Str, "chomp", &[Str]),
    (Str, "cidrhost", &[Cidr, Int]),
    (Str, "cidrnetmask", &[Cidr]),
    (Str, "cidrsubnet", &[Cidr, Int, Int]),
    (Str, "coalesce", &[Str, Str, Str]),
    (Str, "element", &[Strs, Int]),
    (Str, "format", &[Format, Any]),
    (Str, "format", &[Format, Str, Num]),
    (Str, "format", &[Format, Num, Any]),
    (Str, "formatdate", &[DateFormat, Moment]),
    (Str, "indent", &[Int, Str]),
    (Str, "join", &[Str, Strs]),
    (Str, "join", &[Str, StrSet, Strs]),
    (Str, "jsonencode", &[Any]),
    (Str, "yamlencode", &[Any]),
    (Str, "lookup", &[StrMap, Str, Str]),
    (Str, "lookup", &[Object, Str, Any]),
    (Str, "lower", &[Str]),
    (Str, "upper", &[Str]),
    (Str, "title", &[Str]),
    (Str, "md5", &[Str]),
    (Str, "sha1", &[Str]),
    (Str, "sha256", &[Str]),
    (Str, "sha512", &[Str]),
    (Str, "one", &[Strs]),
    (Str, "regex", &[Regex, Str]),
    (Str, "replace", &[Str, Str, Str]),
    (Str, "replace", &[Str, Regex, Str]),
    (Str, "strrev", &[Str]),
    (Str, "substr", &[Str, Int, Int]),
    (Str, "textencodebase64", &[Str, Encoding]),
    (Str, "textdecodebase64", &[Base64, Encoding]),
    (Str, "timeadd", &[Moment, Span]),
    (Str, "tostring", &[Num]),
    (Str, "tostring", &[Any]),
    (Str, "trim", &[Str, Str]),
    (Str, "trimprefix", &[Str, Str]),
    (Str, "trimsuffix", &[Str, Str]),
    (Str, "trimspace", &[Str]),
    (Str, "urlencode", &[Str]),
    (Str, "uuidv5", &[Str, Str]),
    (Str, "try", &[Any, Str]),
    (Strs, "cidrsubnets", &[Cidr, Int, Int]),
    (Strs, "coalescelist", &[Strs, Strs]),
    (Strs, "compact", &[Strs]),
    (Strs, "concat", &[Strs, Strs]),
    (Strs, "distinct", &[Strs]),
    (Strs, "formatlist", &[Format, Strs, Str]),
    (Strs, "formatlist", &[Format, Nums, Strs]),
    (Strs, "keys", &[StrMap]),
    (Strs, "values", &[StrMap]),
    (Strs, "matchkeys", &[Strs, Strs, Strs]),
    (Strs, "reverse", &[Strs]),
    (Strs, "slice", &[Strs, Int, Int]),
    (Strs, "sort", &[Strs]),
    (Strs, "split", &[Str, Str]),
    (Strs, "tolist", &[StrSet]),
    (Strs, "tolist", &[Tuple]),
    (Strs, "flatten", &[Any]),
    (Nums, "range", &[Int]),
    (Nums, "range", &[Int, Int, Num]),
    (Nums, "distinct", &[Nums]),
    (Nums, "concat", &[Nums, Tuple]),
    (Any, "chunklist", &[Strs, Int]),
    (Any, "coalesce", &[Any, Any]),
    (Any, "concat", &[Tuple, Strs]),
    (Any, "csvdecode", &[Csv]),
    (Any, "element", &[Tuple, Int]),
    (Any, "flatten", &[Any]),
    (Any, "jsondecode", &[Json]),
    (Any, "yamldecode", &[Yaml]),
    (Any, "keys", &[Object]),
    (Any, "values", &[Object]),
    (Any, "lookup", &[NumMap, Str]),
    (Any, "one", &[Any]),
    (Any, "regex", &[Regex, Str]),
    (Any, "regexall", &[Regex, Str]),
    (Any, "reverse", &[Tuple]),
    (Any, "sensitive", &[Any]),
    (Any, "nonsensitive", &[Any]),
    (Any, "ephemeralasnull", &[Any]),
    (Any, "setproduct", &[Strs, Nums]),
    (Any, "setproduct", &[StrSet, Tuple]),
    (Any, "slice", &[Tuple, Int, Int]),
    (Any, "try", &[Any, Any]),
    (Any, "zipmap", &[Strs, Tuple]),
    (Any, "values", &[NumMap]),
    (Any, "matchkeys", &[Nums, Strs, Strs]),
    (Any, "toset", &[Tuple]),
    (Any, "tolist", &[Any]),
    (Any, "tomap", &[Any]),
    (Any, "toset", &[Any]),
    (Any, "transpose", &[Any]),
    (Any, "templatestring", &[Str, Object]),
    (StrSet, "toset", &[Strs]),
    (StrSet, "setunion", &[StrSet, Strs]),
    (StrSet, "setintersection", &[StrSet, StrSet]),
    (StrSet, "setsubtract", &[StrSet, Strs]),
    (NumSet, "toset", &[Nums]),
    (NumSet, "setunion", &[NumSet, NumSet]),
    (StrMap, "merge", &[StrMap, StrMap]),
    (StrMap, "merge", &[StrMap, Object]),
    (StrMap, "tomap", &[Object]),
    (StrMap, "zipmap", &[Strs, Strs]),
    (NumMap, "merge", &[NumMap, NumMap]),
    (Lists, "transpose", &[Lists]),
    (Lists, "merge", &[Lists, Lists]),
    (Object, "merge", &[Object, StrMap]),
    (Object, "try", &[Any, Object]),
];

const KINDS: &[Kind] = &[
    Str, Num, Bool, Strs, Nums, StrSet, NumSet, StrMap, NumMap, Lists, Objects, Object, Tuple, Int, Str, Object, Tuple,
];

/// Makes one expression after another.
pub struct Generator {
    state: u64,
    /// Names of `for` around, with what they hold.
    bound: Vec<(String, Kind)>,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Generator { state: seed, bound: Vec::new() }
    }

    /// An expression that fits into a line of the console, or into a few between brackets.
    pub fn expression(&mut self) -> String {
        loop {
            let kind = self.pick(KINDS);
            let depth = 1 + self.below(4);
            let text = self.make(kind, depth);
            if text.len() < 400 {
                return text;
            }
        }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    fn quoted(&mut self, from: &[&str]) -> String {
        format!("\"{}\"", self.pick(from))
    }

    /// An operand or argument.
    fn part(&mut self, kind: Kind, depth: u64) -> String {
        match self.below(100) {
            0..3 => {
                let other = self.pick(KINDS);
                self.make(other, depth.saturating_sub(1))
            }
            3 => "null".to_owned(),
            _ => self.make(kind, depth.saturating_sub(1)),
        }
    }

    fn make(&mut self, kind: Kind, depth: u64) -> String {
        let kind = if kind == Any { self.pick(KINDS) } else { kind };
        if depth == 0 || self.chance(12) {
            return self.leaf(kind);
        }
        match self.below(100) {
            0..8 => self.conditional(kind, depth),
            8..36 => self.call(kind, depth),
            36..41 => {
                let name = self.pick(&["sensitive", "sensitive", "nonsensitive", "try", "one"]);
                match name {
                    "one" => format!("one([{}])", self.part(kind, depth)),
                    name => format!("{name}({})", self.part(kind, depth)),
                }
            }
            41..46 => self.indexed(kind, depth),
            _ => self.own(kind, depth),
        }
    }

    /// A literal or a name.
    fn leaf(&mut self, kind: Kind) -> String {
        let fitting: Vec<String> =
            self.bound.iter().filter(|(_, has)| *has == kind).map(|(name, _)| name.clone()).collect();
        if !fitting.is_empty() && self.chance(60) {
            return fitting[self.below(fitting.len() as u64) as usize].clone();
        }
        let named: Vec<&str> = NAMES.iter().filter(|(_, has)| *has == kind).map(|(name, _)| *name).collect();
        if !named.is_empty() && self.chance(55) {
            return self.pick(&named).to_owned();
        }
        match kind {
            Str => self.quoted(TEXTS),
            Num => self.pick(NUMBERS).to_owned(),
            Int => self.pick(&["0", "1", "2", "3", "4", "-1", "8", "16", "36", "1.5", "100"]).to_owned(),
            Bool => self.pick(&["true", "false", "\"true\"", "!true"]).to_owned(),
            Format => self.quoted(FORMATS),
            Moment => self.quoted(MOMENTS),
            Span => self.quoted(SPANS),
            Cidr => self.quoted(CIDRS),
            Regex => self.quoted(REGEXES),
            Json => self.quoted(JSONS),
            Yaml => self.quoted(YAMLS),
            Base64 => self.quoted(BASE64S),
            Csv => self.quoted(CSVS),
            DateFormat => self.quoted(DATE_FORMATS),
            Encoding => self.quoted(ENCODINGS),
            Strs => {
                self.pick(&["[]", "[\"a\", \"b\", \"a\"]", "[\"x\"]", "[\"b\", 1, true]", "[\"\", null]"]).to_owned()
            }
            Nums => self.pick(&["[]", "[3, 1, 2]", "[1, 1.0, \"1\"]", "[0.1, -5]"]).to_owned(),
            StrSet => {
                self.pick(&["toset([])", "toset([\"b\", \"a\"])", "toset([\"1\", 1])", "[\"p\", \"q\"]"]).to_owned()
            }
            NumSet => self.pick(&["toset([3, 1, 3])", "toset([10, 9, 1.5])", "[1, 2]"]).to_owned(),
            StrMap => self
                .pick(&[
                    "{}",
                    "{ a = \"1\", b = \"2\" }",
                    "tomap({ k1 = \"v\" })",
                    "{ a = 1, \"c d\" = true }",
                    "{ a = null }",
                ])
                .to_owned(),
            NumMap => self.pick(&["{ a = 1, b = 2.5 }", "tomap({ z = 1e3 })", "{ \"1\" = 1 }"]).to_owned(),
            Lists => self.pick(&["{ a = [\"x\", \"y\"], b = [\"x\"] }", "{ a = [] }", "{}"]).to_owned(),
            Objects => {
                self.pick(&["[{ n = \"a\", v = 1 }, { n = \"b\", v = 2 }]", "[{ n = null, v = 1 }]", "[]"]).to_owned()
            }
            Object | Any => self
                .pick(&[
                    "{ a = 1, b = \"x\" }",
                    "{}",
                    "{ a = 1, name = null }",
                    "{ x = { y = true } }",
                    "{ (\"k\") = 1, b : 2 }",
                ])
                .to_owned(),
            Tuple => self
                .pick(&["[]", "[1, \"a\", true]", "[[1], [\"a\", null]]", "[true, false]", "[{ a = 1 }, {}]"])
                .to_owned(),
        }
    }

    fn conditional(&mut self, kind: Kind, depth: u64) -> String {
        let condition = self.part(Bool, depth);
        let other = if self.chance(25) { self.pick(KINDS) } else { kind };
        let (yes, no) = (self.part(kind, depth), self.part(other, depth));
        if self.chance(50) { format!("({condition} ? {yes} : {no})") } else { format!("({condition} ? {no} : {yes})") }
    }

    fn call(&mut self, kind: Kind, depth: u64) -> String {
        let wanted = if kind == Int { Num } else { kind };
        let fitting: Vec<_> =
            FUNCTIONS.iter().filter(|function| function.0 == wanted || serves(function.0, wanted)).collect();
        if fitting.is_empty() {
            return self.own(kind, depth);
        }
        let (_, name, parameters) = *fitting[self.below(fitting.len() as u64) as usize];
        let mut arguments: Vec<String> = parameters.iter().map(|kind| self.part(*kind, depth)).collect();
        if self.chance(2) {
            arguments.pop();
        } else if self.chance(2) {
            let more = self.part(kind, depth);
            arguments.push(more);
        }
        let spread = self.chance(4);
        if spread {
            let rest = self.pick(&[Strs, Nums, Tuple, StrSet]);
            arguments.pop();
            let rest = self.part(rest, depth);
            arguments.push(format!("{rest}..."));
        }
        let space = if self.chance(3) { "core::" } else { "" };
        format!("{space}{name}({})", arguments.join(", "))
    }

    /// Something taken out of something bigger.
    fn indexed(&mut self, kind: Kind, depth: u64) -> String {
        let index = self.part(Int, depth);
        let name = self.pick(&["a", "b", "name", "x", "size", "n"]);
        match kind {
            Str | Bool => match self.below(5) {
                0 => format!("{}[{index}]", self.grouped(Strs, depth)),
                1 => format!("{}[\"{name}\"]", self.grouped(StrMap, depth)),
                2 => format!("{}.{name}", self.grouped(StrMap, depth)),
                3 => format!("var.obj.{}", self.pick(&["name", "tags", "nope"])),
                _ => format!("{}[{}].n", self.grouped(Objects, depth), self.pick(&["0", "1", "-1"])),
            },
            Num | Int => match self.below(4) {
                0 => format!("{}[{index}]", self.grouped(Nums, depth)),
                1 => format!("{}[{}]", self.grouped(NumMap, depth), self.part(Str, depth)),
                2 => format!("{}.size", self.grouped(Object, depth)),
                _ => format!("{}.0", self.grouped(Nums, depth)),
            },
            Strs => match self.below(3) {
                0 => format!("{}[*].n", self.grouped(Objects, depth)),
                1 => format!("{}.*.n", self.grouped(Objects, depth)),
                _ => format!("{}[\"{name}\"]", self.grouped(Lists, depth)),
            },
            Nums => format!("{}[*].v", self.grouped(Objects, depth)),
            Tuple => {
                let inner = self.pick(KINDS);
                format!("{}[*]", self.grouped(inner, depth))
            }
            Object => format!("{}[{index}]", self.grouped(Objects, depth)),
            _ => format!("{}[{index}]", self.grouped(Tuple, depth)),
        }
    }

    fn grouped(&mut self, kind: Kind, depth: u64) -> String {
        let text = self.part(kind, depth);
        let simple = text.starts_with("var.") || text.starts_with("local.");
        if simple && !text.contains(' ') { text } else { format!("({text})") }
    }

    /// What the language itself has for a kind.
    fn own(&mut self, kind: Kind, depth: u64) -> String {
        match kind {
            Str => self.template(depth),
            Num | Int => {
                let (a, b) = (self.part(Num, depth), self.part(Num, depth));
                match self.below(8) {
                    0 => format!("-({a})"),
                    1 => format!("({a})"),
                    _ => format!("({a} {} {b})", self.pick(&["+", "-", "*", "/", "%", "+", "*"])),
                }
            }
            Bool => self.comparison(depth),
            Strs => self.list_for(Str, depth),
            Nums => self.list_for(Num, depth),
            StrSet => format!("toset({})", self.list_for(Str, depth)),
            NumSet => format!("toset({})", self.list_for(Num, depth)),
            StrMap => self.map_for(Str, depth),
            NumMap => self.map_for(Num, depth),
            Lists => self.map_for(Strs, depth),
            Objects => {
                let count = self.below(3);
                let one =
                    |this: &mut Self| format!("{{ n = {}, v = {} }}", this.part(Str, depth), this.part(Num, depth));
                let items: Vec<String> = (0..count).map(|_| one(self)).collect();
                format!("[{}]", items.join(", "))
            }
            Tuple => {
                let count = self.below(4);
                let items: Vec<String> = (0..count).map(|_| self.part(Any, depth)).collect();
                let comma = if count > 0 && self.chance(10) { "," } else { "" };
                format!("[{}{comma}]", items.join(", "))
            }
            Object | Any => {
                let count = self.below(4);
                let items: Vec<String> = (0..count)
                    .map(|_| {
                        let key = match self.below(8) {
                            0 => format!("({})", self.part(Str, depth)),
                            1 => format!("\"{}\"", self.pick(&["c d", "x-y", "1", "", "é"])),
                            _ => self.pick(&["a", "b", "name", "size", "x"]).to_owned(),
                        };
                        let value = self.part(Any, depth);
                        format!("{key} = {value}")
                    })
                    .collect();
                format!("{{ {} }}", items.join(", "))
            }
            special => self.leaf(special),
        }
    }

    fn comparison(&mut self, depth: u64) -> String {
        match self.below(10) {
            0 if self.chance(30) => {
                let operator = self.pick(&["&&", "||"]);
                format!("({} {operator} {})", self.part(Bool, depth), self.part(Bool, depth))
            }
            1 => format!("!({})", self.part(Bool, depth)),
            2..5 => {
                let operator = self.pick(&["<", "<=", ">", ">="]);
                format!("({} {operator} {})", self.part(Num, depth), self.part(Num, depth))
            }
            _ => {
                let kind = self.pick(KINDS);
                let other = if self.chance(30) { self.pick(KINDS) } else { kind };
                let operator = self.pick(&["==", "!="]);
                format!("({} {operator} {})", self.part(kind, depth), self.part(other, depth))
            }
        }
    }

    fn template(&mut self, depth: u64) -> String {
        let mut out = String::from("\"");
        for _ in 0..=self.below(3) {
            self.template_part(&mut out, depth);
        }
        out.push('"');
        out
    }

    fn template_part(&mut self, out: &mut String, depth: u64) {
        let (open, close) = (self.pick(&["", "", "~"]), self.pick(&["", "", "~"]));
        match self.below(6) {
            0 => out.push_str(self.pick(&["x ", " y", "-", "é", " ", "\\n", "$${", "%%{", "$", "%", "\\\\"])),
            1 => {
                let condition = self.part(Bool, depth);
                let otherwise = if self.chance(50) { " %{ else ~} no " } else { "" };
                out.push_str(&format!(" %{{{open} if {condition} {close}}} yes {otherwise}%{{{open} endif {close}}} "));
            }
            2 => {
                let kind = self.pick(&[Strs, StrSet, StrMap, Nums]);
                let source = self.part(kind, depth);
                let name = self.bind(if kind == Nums { Num } else { Str });
                let inner = self.part(Str, depth.min(1));
                let _ = self.bound.pop();
                out.push_str(&format!(
                    " %{{{open} for {name} in {source} {close}}} <${{{name}}}{inner_text}> %{{ endfor }}",
                    inner_text = if self.chance(20) { format!("${{{inner}}}") } else { String::new() }
                ));
            }
            _ => {
                let kind = self.pick(&[Str, Str, Num, Bool]);
                let inner = self.part(kind, depth);
                out.push_str(&format!(" ${{{open} {inner} {close}}} "));
            }
        }
    }

    fn bind(&mut self, kind: Kind) -> String {
        let name = format!("v{}", self.bound.len());
        self.bound.push((name.clone(), kind));
        name
    }

    /// A `for` over something with elements: its header, and how many names it has bound.
    fn header(&mut self, depth: u64) -> (String, usize) {
        let source = self.pick(&[Strs, Nums, StrSet, StrMap, NumMap, Tuple, Object, Objects]);
        let text = self.part(source, depth);
        let (key, element) = match source {
            StrMap => (Str, Str),
            NumMap => (Str, Num),
            Object => (Str, Any),
            StrSet => (Str, Str),
            Nums => (Num, Num),
            Objects => (Num, Object),
            Tuple => (Num, Any),
            _ => (Num, Str),
        };
        if self.chance(40) {
            let (key, value) = (self.bind(key), self.bind(element));
            (format!("for {key}, {value} in {text} :"), 2)
        } else {
            (format!("for {} in {text} :", self.bind(element)), 1)
        }
    }

    fn list_for(&mut self, kind: Kind, depth: u64) -> String {
        if self.chance(45) {
            let count = self.below(4);
            let items: Vec<String> = (0..count).map(|_| self.part(kind, depth)).collect();
            return format!("[{}]", items.join(", "));
        }
        let (header, names) = self.header(depth);
        let body = self.part(kind, depth);
        let filter = if self.chance(30) { format!(" if {}", self.part(Bool, depth)) } else { String::new() };
        self.bound.truncate(self.bound.len() - names);
        format!("[{header} {body}{filter}]")
    }

    fn map_for(&mut self, kind: Kind, depth: u64) -> String {
        if self.chance(35) {
            return format!("{{ a = {}, b = {} }}", self.part(kind, depth), self.part(kind, depth));
        }
        let (header, names) = self.header(depth);
        let (key, body) = (self.part(Str, depth), self.part(kind, depth));
        let group = if self.chance(30) { "..." } else { "" };
        let filter = if self.chance(25) { format!(" if {}", self.part(Bool, depth)) } else { String::new() };
        self.bound.truncate(self.bound.len() - names);
        format!("{{{header} {key} => {body}{group}{filter}}}")
    }
}

/// Whether a function for one kind serves where another is wanted.
fn serves(gives: Kind, wanted: Kind) -> bool {
    matches!((gives, wanted), (Any, Tuple | Object | Objects))
}
