#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::change::Action;
use crate::provider::{Now, SilentProgress};
use crate::schema::proposed;
use crate::value::Path;

/// A configuration: nulls where nothing is given.
fn config(provider: &dyn Provider, kind: &str, data: bool, given: &[(&str, &str)]) -> Value {
    let schemas = provider.schema();
    let schema = if data { &schemas.data[kind] } else { &schemas.resources[kind] };
    Value::object(schema.block.attributes.iter().map(|(name, attribute)| {
        let value = given.iter().find(|(key, _)| *key == name.as_str()).map(|(_, text)| Value::from(*text));
        (name.clone(), value.unwrap_or(Value::Null(attribute.ty.clone())))
    }))
}

struct Fixture {
    provider: Arc<dyn Provider>,
    configured: Arc<dyn Configured>,
    kind: &'static str,
}

impl Fixture {
    async fn new(kind: &'static str) -> Self {
        let provider = provider(&Settings::new());
        let configured = provider.configure(Value::NULL).await.value.unwrap();
        Fixture { provider, configured, kind }
    }

    async fn plan(&self, prior: Value, given: &[(&str, &str)]) -> Planned {
        let config = config(&*self.provider, self.kind, false, given);
        assert!(self.provider.validate(self.kind, false, &config).is_empty());
        let proposed = proposed(&self.provider.schema().resources[self.kind].block, &prior, &config);
        let request = PlanRequest { kind: self.kind.into(), prior, proposed, config, private: vec![] };
        self.configured.plan(request).await.value.unwrap()
    }

    async fn apply(&self, action: Action, prior: Value, planned: Value) -> Applied {
        let request = ApplyRequest {
            kind: self.kind.into(),
            action,
            prior,
            planned,
            config: Value::NULL,
            private: vec![],
            nonce: String::new(),
        };
        self.configured.apply(request, &SilentProgress).await
    }

    async fn create(&self, given: &[(&str, &str)]) -> Value {
        let planned = self.plan(Value::NULL, given).await.value;
        let applied = self.apply(Action::Create, Value::NULL, planned).await;
        match applied.now {
            Now::Is { value, .. } => value,
            other => panic!("{other:?}: {}", applied.said),
        }
    }

    async fn read(&self, prior: Value) -> ReadResult {
        let result = std::sync::Mutex::new(None);
        let request = ReadRequest { kind: self.kind.into(), prior, private: vec![] };
        let said = self.configured.read(vec![request], &|_, found| *result.lock().unwrap() = Some(found)).await;
        assert!(said.is_empty());
        result.into_inner().unwrap().unwrap()
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap()
}

#[tokio::test]
async fn a_file_lives() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/hello.txt");
    let path = path.to_str().unwrap();
    let fixture = Fixture::new("local_file").await;

    let given = [("filename", path), ("content", "hello")];
    let planned = fixture.plan(Value::NULL, &given).await;
    assert!(!planned.value.get("id").unwrap().is_known());
    assert_eq!(text(&planned.value, "file_permission"), "0777");

    let object = fixture.create(&given).await;
    assert_eq!(std::fs::read_to_string(path).unwrap(), "hello");
    assert!(object.is_wholly_known());
    assert_eq!(text(&object, "id"), "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d");
    assert_eq!(text(&object, "content_md5"), "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(text(&object, "content_base64sha256"), "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=");

    assert!(matches!(fixture.read(object.clone()).await, ReadResult::Found { value, .. } if value == object));
    let again = fixture.plan(object.clone(), &given).await;
    assert_eq!((again.value, again.replace), (object.clone(), vec![]));
    let other = fixture.plan(object.clone(), &[("filename", path), ("content", "other")]).await;
    assert_eq!(other.replace, [Path::attribute("content")]);

    // A replacement that is created first has the same name: the delete of the former one must leave it alone.
    let new = fixture.create(&[("filename", path), ("content", "other")]).await;
    assert!(matches!(fixture.apply(Action::Delete, object.clone(), Value::NULL).await.now, Now::Gone));
    assert_eq!(std::fs::read_to_string(path).unwrap(), "other");
    assert!(matches!(fixture.read(object).await, ReadResult::Absent));

    assert!(matches!(fixture.apply(Action::Delete, new.clone(), Value::NULL).await.now, Now::Gone));
    assert!(!std::path::Path::new(path).exists());
    assert!(matches!(fixture.read(new).await, ReadResult::Absent));
}

#[tokio::test]
async fn content_comes_from_several_places() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("source"), [0, 255]).unwrap();
    for (kind, name, value) in [
        ("local_file", "content_base64", "AP8=".to_owned()),
        ("local_file", "source", path("source")),
        ("local_sensitive_file", "content_base64", "AP8=".to_owned()),
    ] {
        let fixture = Fixture::new(kind).await;
        let object = fixture.create(&[("filename", &path("out")), (name, &value)]).await;
        assert_eq!(std::fs::read(path("out")).unwrap(), [0, 255]);
        fixture.apply(Action::Delete, object, Value::NULL).await;
    }
}

#[tokio::test]
async fn recovery_reads_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let given = [("filename", path.to_str().unwrap()), ("content", "new")];
    let fixture = Fixture::new("local_file").await;
    let planned = fixture.plan(Value::NULL, &given).await.value;
    // The journal leaves out what is unknown.
    let Value::Object(entries) = &planned else { panic!() };
    let noted =
        Value::Object(entries.map_values(|_, value| if value.is_known() { value.clone() } else { Value::NULL }));
    assert!(matches!(file::recover(noted.clone()), Recovered::Absent));
    std::fs::write(&path, "old").unwrap();
    assert!(matches!(file::recover(noted.clone()), Recovered::Absent));
    let object = fixture.create(&given).await;
    assert!(matches!(file::recover(noted), Recovered::Found { value, .. } if value == object));
}

#[tokio::test]
async fn failures_change_nothing_and_say_why() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = Fixture::new("local_file").await;
    let path = directory.path().to_str().unwrap();
    for given in [[("filename", path), ("content", "x")], [("filename", "/dev/null/x"), ("source", "/no/such/file")]] {
        let planned = fixture.plan(Value::NULL, &given).await.value;
        let applied = fixture.apply(Action::Create, Value::NULL, planned).await;
        assert!(matches!(applied.now, Now::Unchanged));
        assert!(applied.said.has_errors());
    }
}

#[test]
fn wrong_arguments_are_named() {
    let provider = provider(&Settings::new());
    let check = |given: &[(&str, &str)], expect: &str| {
        let said = provider.validate("local_file", false, &config(&*provider, "local_file", false, given)).to_string();
        assert!(said.contains(expect), "{said}");
    };
    check(&[("filename", "a")], "One of content, content_base64, sensitive_content, source must be given");
    check(&[("filename", "a"), ("content", ""), ("source", "b")], "Only one of content, source");
    check(&[("filename", "a"), ("content", ""), ("file_permission", "rw")], "file_permission is \"rw\"");
}

#[tokio::test]
async fn data_sources_read_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let fixture = Fixture::new("local_file").await;
    let config = config(&*fixture.provider, "local_file", true, &[("filename", path.to_str().unwrap())]);
    let read =
        async || fixture.configured.read_data(DataRequest { kind: "local_file".into(), config: config.clone() }).await;
    assert!(read().await.has_errors());
    std::fs::write(&path, "hello").unwrap();
    let value = read().await.value.unwrap();
    assert_eq!((text(&value, "content"), text(&value, "content_base64")), ("hello", "aGVsbG8="));
    assert_eq!(text(&value, "id"), "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d");
}
