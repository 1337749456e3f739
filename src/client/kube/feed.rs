//! One list and one watch for each kind and namespace, however many of its objects are waited for.
//!
//! A feed lives as long as somebody follows one of its objects. It keeps what it has seen of every name, so that who comes later needs no
//! request of his own.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::types::{Json, Kind};
use super::watch::{Event, Watch};
use super::{Kube, KubeError, List, Select};

/// A server that was there, and is not, may come back within this time: a control plane that restarts.
const RETURN: Duration = Duration::from_secs(60);

/// How often to ask where only single objects may be read.
const PACE: Duration = Duration::from_secs(1);

/// What is known of one name.
#[derive(Clone, Debug)]
enum Seen {
    /// Nothing yet.
    Nothing,
    /// The object as it was last.
    Is(Arc<Json>),
    /// There is none, as of this resource version.
    Gone(String),
    /// It cannot be known.
    Failed(KubeError),
}

/// The feeds of a connection, by the path of what they list.
#[derive(Default)]
pub(super) struct Feeds(Mutex<HashMap<String, Weak<Feed>>>);

struct Feed {
    states: Arc<States>,
    task: AbortHandle,
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a feed has seen.
struct States(Mutex<Names>);

struct Names {
    known: HashMap<String, watch::Sender<Seen>>,
    /// What holds for all other names.
    others: Seen,
}

/// What an object that is followed is now.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Now {
    /// Nobody has looked yet.
    Unknown,
    /// There is none.
    Absent,
    /// This.
    Is(Arc<Json>),
}

/// One object that is followed. Clones follow the same one.
#[derive(Clone)]
pub(super) struct Following {
    feed: Arc<Feed>,
    seen: watch::Receiver<Seen>,
    /// The object as the caller knows it. What the feed has seen before that does not count.
    since: Option<Arc<Json>>,
}

impl Following {
    /// The object as it is.
    ///
    /// # Errors
    /// It cannot be known: the server does not answer, or refuses.
    pub(super) fn now(&self) -> Result<Now, KubeError> {
        let since = self.since.as_deref().map(revision).unwrap_or_default();
        match &*self.seen.borrow() {
            Seen::Failed(error) => Err(error.clone()),
            Seen::Is(object) if !is_older(revision(object), since) => Ok(Now::Is(object.clone())),
            Seen::Gone(revision) if !is_older(revision, since) => Ok(Now::Absent),
            Seen::Nothing | Seen::Is(_) | Seen::Gone(_) => Ok(self.since.clone().map_or(Now::Unknown, Now::Is)),
        }
    }

    /// The object as far as it is known.
    pub(super) fn object(&self) -> Option<Arc<Json>> {
        match self.now() {
            Ok(Now::Is(object)) => Some(object),
            Ok(Now::Unknown | Now::Absent) | Err(_) => None,
        }
    }

    /// Resolves when something new was seen.
    pub(super) async fn changed(&mut self) {
        // The sender lives as long as the feed, and that as long as this.
        let _ = self.seen.changed().await;
        debug_assert!(Arc::strong_count(&self.feed) > 0);
    }
}

impl Kube {
    /// Follows an object from what is known of it on (the answer of the call that changed it, with its `resourceVersion`). Needs a tokio
    /// runtime.
    pub(super) fn follow(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        since: Option<Arc<Json>>,
    ) -> Following {
        let path = kind.path(namespace);
        let mut feeds = self.inner.feeds.0.lock().unwrap_or_else(PoisonError::into_inner);
        let running = feeds.get(&path).and_then(Weak::upgrade).filter(|feed| !feed.task.is_finished());
        let feed = running.unwrap_or_else(|| {
            let states = Arc::new(States(Mutex::new(Names { known: HashMap::new(), others: Seen::Nothing })));
            let source = Source { kube: self.clone(), kind: kind.clone(), namespace: namespace.map(str::to_owned) };
            let task = tokio::spawn(source.run(states.clone())).abort_handle();
            let feed = Arc::new(Feed { states, task });
            feeds.retain(|_, feed| feed.strong_count() > 0);
            feeds.insert(path, Arc::downgrade(&feed));
            feed
        });
        let seen = feed.states.follow(name);
        Following { feed, seen, since }
    }
}

impl States {
    fn names(&self) -> MutexGuard<'_, Names> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(&self, name: &str) -> watch::Receiver<Seen> {
        let mut names = self.names();
        let others = names.others.clone();
        let sender = names.known.entry(name.to_owned()).or_insert_with(|| watch::Sender::new(others.clone()));
        // Of a name that nobody followed meanwhile, and that was not there, as much is known as of all others.
        if sender.receiver_count() == 0 && !matches!(*sender.borrow(), Seen::Is(_)) {
            sender.send_replace(others);
        }
        sender.subscribe()
    }

    /// The names that somebody follows.
    fn followed(&self) -> Vec<String> {
        let names = self.names();
        names.known.iter().filter(|(_, seen)| seen.receiver_count() > 0).map(|(name, _)| name.clone()).collect()
    }

    /// A list says what there is, and that there is nothing else.
    fn listed(&self, list: List) {
        let mut names = self.names();
        let there: HashSet<String> = list.items.iter().map(|object| name_of(object).to_owned()).collect();
        names.others = Seen::Gone(list.revision);
        let gone: Vec<String> = names.known.keys().filter(|name| !there.contains(*name)).cloned().collect();
        for name in gone {
            names.gone(&name);
        }
        for object in list.items {
            names.is(object);
        }
    }

    fn happened(&self, event: Event) {
        let mut names = self.names();
        match event {
            Event::Is(object) => {
                names.others = Seen::Gone(revision(&object).to_owned());
                names.is(object);
            }
            Event::Gone(object) => {
                names.others = Seen::Gone(revision(&object).to_owned());
                names.gone(name_of(&object));
            }
        }
    }

    fn one(&self, name: &str, seen: Seen) {
        if let Some(sender) = self.names().known.get(name) {
            sender.send_replace(seen);
        }
    }

    fn failed(&self, error: &KubeError) {
        let mut names = self.names();
        names.others = Seen::Failed(error.clone());
        for sender in names.known.values() {
            sender.send_replace(Seen::Failed(error.clone()));
        }
    }
}

impl Names {
    fn is(&mut self, object: Json) {
        let name = name_of(&object).to_owned();
        self.known
            .entry(name)
            .or_insert_with(|| watch::Sender::new(Seen::Nothing))
            .send_replace(Seen::Is(object.into()));
    }

    /// A name that nobody follows is forgotten: it is as all others.
    fn gone(&mut self, name: &str) {
        let Some(sender) = self.known.get(name) else { return };
        if sender.receiver_count() == 0 {
            self.known.remove(name);
        } else {
            sender.send_replace(self.others.clone());
        }
    }
}

/// What a feed looks at.
struct Source {
    kube: Kube,
    kind: Kind,
    namespace: Option<String>,
}

impl Source {
    async fn run(self, states: Arc<States>) {
        let mut heard: Option<Instant> = None;
        loop {
            let ended = self.list_and_watch(&states, &mut heard).await;
            match ended {
                // The watch ended, or its revision grew old: look anew.
                Ok(()) | Err(KubeError::Refused { code: 410, .. }) => {}
                Err(KubeError::Forbidden(_)) if heard.is_none() => return self.ask_for_each(&states).await,
                Err(error) if error.is_unreachable() && heard.is_some_and(|heard| heard.elapsed() < RETURN) => {
                    tokio::time::sleep(PACE).await;
                }
                Err(error) => return states.failed(&error),
            }
        }
    }

    async fn list_and_watch(&self, states: &States, heard: &mut Option<Instant>) -> Result<(), KubeError> {
        let list = self.kube.list(&self.kind, self.namespace.as_deref(), &Select::ALL).await?;
        *heard = Some(Instant::now());
        let revision = list.revision.clone();
        states.listed(list);
        let mut watch = match self.watch(&revision).await {
            // It grew old between the two calls.
            Err(KubeError::NotFound(_)) => return Ok(()),
            opened => opened?,
        };
        while let Some(event) = watch.next().await? {
            *heard = Some(Instant::now());
            states.happened(event);
        }
        *heard = Some(Instant::now());
        Ok(())
    }

    async fn watch(&self, revision: &str) -> Result<Watch, KubeError> {
        self.kube.watch(&self.kind, self.namespace.as_deref(), &Select::ALL, revision).await
    }

    /// Where objects may be read and not listed, each that is followed is asked for.
    async fn ask_for_each(&self, states: &States) {
        loop {
            let names = states.followed();
            let asked = names.iter().map(|name| async move {
                match self.kube.get(&self.kind, self.namespace.as_deref(), name).await {
                    Ok(Some(object)) => states.one(name, Seen::Is(object.into())),
                    Ok(None) => states.one(name, Seen::Gone(String::new())),
                    Err(error) => states.one(name, Seen::Failed(error)),
                }
            });
            join_all(asked).await;
            tokio::time::sleep(PACE).await;
        }
    }
}

fn name_of(object: &Json) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

fn revision(object: &Json) -> &str {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_default()
}

/// Whether a resource version is older than another. They are decimal numbers that grow (Kubernetes enhancement 5504); those of a server
/// that has others are never older.
fn is_older(one: &str, other: &str) -> bool {
    matches!((one.parse::<u64>(), other.parse::<u64>()), (Ok(one), Ok(other)) if one < other)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, revision: &str) -> Json {
        json!({ "metadata": { "name": name, "resourceVersion": revision } })
    }

    fn feed(items: Vec<Json>, revision: &str) -> Arc<Feed> {
        let states = Arc::new(States(Mutex::new(Names { known: HashMap::new(), others: Seen::Nothing })));
        states.listed(List { items, revision: revision.into() });
        Arc::new(Feed { states, task: tokio::spawn(std::future::pending::<()>()).abort_handle() })
    }

    fn following(feed: &Arc<Feed>, name: &str, since: Option<Json>) -> Following {
        Following { feed: feed.clone(), seen: feed.states.follow(name), since: since.map(Arc::new) }
    }

    fn now(following: &Following) -> Option<String> {
        following.now().unwrap();
        following.object().map(|object| revision(&object).to_owned())
    }

    #[tokio::test]
    async fn what_was_seen_before_a_change_does_not_count_after_it() {
        let feed = feed(vec![object("a", "5")], "7");
        for (name, since, expect) in [
            ("a", None, Some("5")),
            ("a", Some("5"), Some("5")),
            ("a", Some("9"), Some("9")),
            ("b", None, None),
            ("b", Some("6"), None),
            ("b", Some("9"), Some("9")),
            // A server whose versions cannot be compared is believed.
            ("b", Some("x"), None),
        ] {
            let followed = following(&feed, name, since.map(|since| object(name, since)));
            assert_eq!(now(&followed).as_deref(), expect, "{name} {since:?}");
        }
        feed.states.happened(Event::Is(object("c", "12")));
        assert_eq!(
            now(&following(&feed, "b", Some(object("b", "9")))),
            None,
            "what is new says of all others that they are not"
        );
    }

    #[tokio::test]
    async fn whoever_follows_hears_of_the_change_and_of_nothing_else() {
        let feed = feed(Vec::new(), "1");
        let (mut a, b) = (following(&feed, "a", None), following(&feed, "b", None));
        feed.states.happened(Event::Is(object("a", "2")));
        a.changed().await;
        assert_eq!(now(&a).as_deref(), Some("2"));
        assert!(!b.seen.has_changed().unwrap());
        feed.states.happened(Event::Gone(object("a", "3")));
        a.changed().await;
        assert_eq!(now(&a), None);
        feed.states.happened(Event::Is(object("a", "4")));
        // The watch broke meanwhile: a list that has it no more is as good as a deletion.
        feed.states.listed(List { items: Vec::new(), revision: "9".into() });
        a.changed().await;
        assert_eq!(now(&a), None);
    }

    #[tokio::test]
    async fn nothing_is_kept_of_what_is_gone_and_not_followed() {
        let feed = feed(vec![object("a", "1"), object("b", "1")], "1");
        drop(following(&feed, "a", None));
        for name in ["a", "b"] {
            feed.states.happened(Event::Gone(object(name, "2")));
        }
        assert!(feed.states.names().known.is_empty());
    }
}
