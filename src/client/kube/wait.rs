//! Waiting until an object is ready or gone: by watching it, with the reason told while it lasts.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use tokio::time::Instant;

use super::types::{Json, Kind};
use super::watch::{Event, Watch};
use super::{Explanation, Kube, KubeError, Readiness, Select, readiness};

/// After this long without success the reason is looked up, and again each time it has passed.
const PATIENCE: Duration = Duration::from_secs(2);

/// What to wait for, and whom to tell.
pub struct Waiting<'a> {
    /// How long at most.
    pub limit: Duration,
    /// Hears why it is not ready yet: `0 of 1 pods ready — pod redis-0 Pending: …`.
    pub tell: &'a (dyn Fn(&str) + Send + Sync),
    /// Says whether to give up at once.
    pub stopped: &'a (dyn Fn() -> bool + Send + Sync),
}

/// Waiting did not end well.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// The time is over.
    #[error("not ready within {limit:?}: {}", explanation.state)]
    TimedOut {
        /// The limit.
        limit: Duration,
        /// What is missing.
        explanation: Box<Explanation>,
    },
    /// It will not get ready by itself.
    #[error("{why}")]
    Failed {
        /// Why.
        why: String,
        /// What else is known.
        explanation: Box<Explanation>,
    },
    /// The object is gone.
    #[error("the object was deleted while it was waited for")]
    Gone,
    /// The user asked to stop.
    #[error("interrupted")]
    Stopped,
    /// The server did not answer, or refused.
    #[error(transparent)]
    Kube(#[from] KubeError),
}

impl Kube {
    /// Waits until an object is ready; gives it as it is then.
    ///
    /// # Errors
    /// See [`WaitError`].
    pub async fn wait_ready(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        waiting: &Waiting<'_>,
    ) -> Result<Json, WaitError> {
        self.wait_until(kind, namespace, name, waiting, &readiness).await
    }

    /// Waits until a test of one's own says that an object is ready; gives it as it is then.
    ///
    /// # Errors
    /// See [`WaitError`].
    pub async fn wait_until(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        waiting: &Waiting<'_>,
        test: &(dyn Fn(&Json) -> Readiness + Send + Sync),
    ) -> Result<Json, WaitError> {
        let end = Instant::now() + waiting.limit;
        let mut look = Instant::now() + PATIENCE.min(waiting.limit / 2);
        let mut states = Follow::new(self, kind, namespace, name).states();
        let mut last: Option<Json> = None;
        loop {
            if (waiting.stopped)() {
                return Err(WaitError::Stopped);
            }
            // Woken at least every so often, to hear whether to stop.
            let pause = Instant::now() + Duration::from_millis(250);
            match tokio::time::timeout_at(end.min(look).min(pause), states.next()).await {
                Ok(Some(Ok(Some(object)))) => {
                    match test(&object) {
                        Readiness::Ready => return Ok(object),
                        Readiness::Failed(why) => {
                            let explanation = Box::new(self.explain_object(&object).await.unwrap_or_default());
                            return Err(WaitError::Failed { why, explanation });
                        }
                        Readiness::Waiting(why) if last.is_none() => (waiting.tell)(&why),
                        Readiness::Waiting(_) => {}
                    }
                    last = Some(object);
                    continue;
                }
                Ok(None | Some(Ok(None))) => return Err(WaitError::Gone),
                Ok(Some(Err(error))) => return Err(error.into()),
                Err(_) => {}
            }
            let now = Instant::now();
            if now >= end {
                let explanation = match &last {
                    Some(object) => self.explain_object(object).await.unwrap_or_default(),
                    None => Explanation::default(),
                };
                return Err(WaitError::TimedOut { limit: waiting.limit, explanation: Box::new(explanation) });
            }
            if now >= look {
                look = now + PATIENCE;
                if let Some(object) = &last
                    && let Readiness::Waiting(why) = test(object)
                {
                    // A reason that cannot be looked up must not end the wait.
                    let headline = self.explain_object(object).await.map(|found| found.headline()).unwrap_or_default();
                    let dash = if headline.is_empty() { "" } else { " — " };
                    (waiting.tell)(&format!("{why}{dash}{headline}"));
                }
            }
        }
    }

    /// Waits until an object (of this uid) is gone.
    ///
    /// # Errors
    /// See [`WaitError`].
    pub async fn wait_gone(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        uid: Option<&str>,
        waiting: &Waiting<'_>,
    ) -> Result<(), WaitError> {
        let end = Instant::now() + waiting.limit;
        let mut states = Follow::new(self, kind, namespace, name).states();
        let mut told = String::new();
        loop {
            if (waiting.stopped)() {
                return Err(WaitError::Stopped);
            }
            let pause = Instant::now() + Duration::from_millis(250);
            match tokio::time::timeout_at(end.min(pause), states.next()).await {
                Ok(None | Some(Ok(None))) => return Ok(()),
                Ok(Some(Ok(Some(object)))) => {
                    if uid.is_some_and(|uid| object["metadata"]["uid"] != uid) {
                        return Ok(());
                    }
                    let why = held_by(&object);
                    if why != told {
                        (waiting.tell)(&why);
                        told = why;
                    }
                }
                Ok(Some(Err(error))) => return Err(error.into()),
                Err(_) if Instant::now() >= end => {
                    let explanation = Explanation { state: told, ..Explanation::default() };
                    return Err(WaitError::TimedOut { limit: waiting.limit, explanation: Box::new(explanation) });
                }
                Err(_) => {}
            }
        }
    }
}

/// What keeps an object that is being deleted.
fn held_by(object: &Json) -> String {
    let finalizers = object["metadata"]["finalizers"].as_array().into_iter().flatten();
    let names: Vec<&str> = finalizers.filter_map(Json::as_str).collect();
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    // A namespace says what is left in it.
    let remains = conditions
        .into_iter()
        .find(|one| one["status"] == "True" && one["type"].as_str().is_some_and(|kind| kind.ends_with("Remaining")));
    match (remains.and_then(|one| one["message"].as_str()), &names[..]) {
        (Some(message), _) => format!("being deleted: {message}"),
        (None, []) => "being deleted".into(),
        (None, names) => format!("being deleted: held by {}", names.join(", ")),
    }
}

/// The states of one object, one after another.
struct Follow<'a> {
    kube: &'a Kube,
    kind: &'a Kind,
    namespace: Option<&'a str>,
    fields: String,
    watch: Option<Watch>,
}

impl<'a> Follow<'a> {
    fn new(kube: &'a Kube, kind: &'a Kind, namespace: Option<&'a str>, name: &str) -> Self {
        Follow { kube, kind, namespace, fields: format!("metadata.name={name}"), watch: None }
    }

    /// The object as it is now, and then each time it changes; `None` when it is gone. It goes on where it was when somebody stops
    /// waiting for the next state: with a slow server a list that a timer cancels would never be answered.
    fn states(self) -> BoxStream<'a, Result<Option<Json>, KubeError>> {
        Box::pin(futures::stream::unfold(self, async |mut follow| {
            let next = follow.next().await;
            Some((next, follow))
        }))
    }

    async fn next(&mut self) -> Result<Option<Json>, KubeError> {
        loop {
            let select = Select { labels: None, fields: Some(&self.fields) };
            let Some(watch) = &mut self.watch else {
                let list = self.kube.list(self.kind, self.namespace, &select).await?;
                let watch = self.kube.watch(self.kind, self.namespace, &select, &list.revision).await;
                match watch {
                    Ok(watch) => self.watch = Some(watch),
                    // The revision grew old between the two calls.
                    Err(KubeError::Refused { code: 410, .. } | KubeError::NotFound(_)) => continue,
                    Err(error) => return Err(error),
                }
                return Ok(list.items.into_iter().next());
            };
            match watch.next().await {
                Ok(Some(Event::Is(object))) => return Ok(Some(object)),
                Ok(Some(Event::Gone(_))) => return Ok(None),
                // It ended: look anew.
                Ok(None) | Err(KubeError::Refused { code: 410, .. } | KubeError::Unreachable { .. }) => {
                    self.watch = None
                }
                Err(error) => return Err(error),
            }
        }
    }
}
