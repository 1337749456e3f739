//! Waiting until an object is ready or gone: by following it, with the reason told while it lasts.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::feed::{Following, Now};
use super::types::{Json, Kind};
use super::{Explanation, Kube, KubeError, Readiness};
use crate::event::Stop;

/// After this long without success the reason is looked up, and again in growing pauses.
const PATIENCE: Duration = Duration::from_secs(2);

/// No pause between two looks is longer.
const LONGEST: Duration = Duration::from_secs(15);

/// What to wait for, and whom to tell.
pub struct Waiting<'a> {
    /// How long at most.
    pub limit: Duration,
    /// The object as the server gave it last; `Null` when nothing is known of it.
    pub since: Json,
    /// Hears why it is not ready yet: `0 of 1 pods ready — pod redis-0 Pending: …`.
    pub tell: &'a (dyn Fn(&str) + Send + Sync),
}

/// Whether an object is what is waited for.
pub type Test<'a> = &'a (dyn Fn(&Json) -> Readiness + Send + Sync);

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
    /// Waits until a test says that an object is ready (`readiness` is the one of its kind); gives it as it is then. An object that is not
    /// there yet is waited for, one that goes is an error.
    ///
    /// # Errors
    /// See [`WaitError`].
    pub async fn wait_until(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        waiting: Waiting<'_>,
        test: Test<'_>,
    ) -> Result<Json, WaitError> {
        let Waiting { limit, since, tell } = waiting;
        let followed = self.follow(kind, namespace, name, (!since.is_null()).then(|| since.into()));
        let ended = tokio::select! {
            biased;
            () = Stop::here() => return Err(WaitError::Stopped),
            ended = ready(followed.clone(), tell, test) => ended?,
            () = sleep(limit) => Ended::TimedOut,
            never = self.narrate(&followed, limit, tell, test) => match never {},
        };
        let why = match ended {
            Ended::Ready(object) => return Ok(Arc::unwrap_or_clone(object)),
            Ended::Failed(why) => Some(why),
            Ended::TimedOut => None,
        };
        // What it came to is told with all that is known.
        let explanation = match &followed.object() {
            Some(object) => Box::new(self.explain(object, test).await),
            None => Box::default(),
        };
        Err(match why {
            Some(why) => WaitError::Failed { why, explanation },
            None => WaitError::TimedOut { limit, explanation },
        })
    }

    /// Waits until an object (as `waiting` knows it, by its uid) is gone.
    ///
    /// # Errors
    /// See [`WaitError`].
    pub async fn wait_gone(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        waiting: Waiting<'_>,
    ) -> Result<(), WaitError> {
        let Waiting { limit, since, tell } = waiting;
        let followed = self.follow(kind, namespace, name, (!since.is_null()).then(|| since.into()));
        tokio::select! {
            biased;
            () = Stop::here() => Err(WaitError::Stopped),
            gone = gone(followed.clone(), tell) => Ok(gone?),
            () = sleep(limit) => {
                let state = followed.object().map(|object| held_by(&object)).unwrap_or_default();
                let explanation = Explanation { state, ..Explanation::default() };
                Err(WaitError::TimedOut { limit, explanation: Box::new(explanation) })
            }
        }
    }

    /// Tells from time to time why an object is not ready. What cannot be looked up must not end the wait.
    async fn narrate(
        &self,
        followed: &Following,
        limit: Duration,
        tell: &(dyn Fn(&str) + Send + Sync),
        test: Test<'_>,
    ) -> Infallible {
        let (mut pause, mut told) = (PATIENCE.min(limit / 2), String::new());
        loop {
            sleep(pause).await;
            pause = (pause * 2).clamp(PATIENCE, LONGEST);
            let Some(object) = followed.object() else { continue };
            let Readiness::Waiting(why) = test(&object) else { continue };
            let headline = self.explain(&object, test).await.headline();
            let dash = if headline.is_empty() { "" } else { " — " };
            let now = format!("{why}{dash}{headline}");
            if now != told {
                tell(&now);
                told = now;
            }
        }
    }

    /// Why an object is not what a test wants, as far as it can be looked up.
    async fn explain(&self, object: &Json, test: Test<'_>) -> Explanation {
        let mut explanation = self.explain_object(object).await.unwrap_or_default();
        // The test knows better than the kind what is missing.
        if let Readiness::Waiting(why) | Readiness::Failed(why) = test(object) {
            explanation.state = why;
        }
        explanation
    }
}

/// How a wait for readiness ended.
enum Ended {
    Ready(Arc<Json>),
    Failed(String),
    TimedOut,
}

async fn ready(
    mut followed: Following,
    tell: &(dyn Fn(&str) + Send + Sync),
    test: Test<'_>,
) -> Result<Ended, WaitError> {
    let (mut uid, mut told): (Option<Json>, bool) = (None, false);
    let mut tell_once = |why: &str| {
        if !std::mem::replace(&mut told, true) {
            tell(why);
        }
    };
    loop {
        match followed.now()? {
            Now::Unknown => {}
            Now::Absent if uid.is_some() => return Err(WaitError::Gone),
            Now::Absent => tell_once("it is not there yet"),
            Now::Is(object) => {
                if *uid.get_or_insert_with(|| object["metadata"]["uid"].clone()) != object["metadata"]["uid"] {
                    return Err(WaitError::Gone);
                }
                match test(&object) {
                    Readiness::Ready => return Ok(Ended::Ready(object)),
                    Readiness::Failed(why) => return Ok(Ended::Failed(why)),
                    Readiness::Waiting(why) => tell_once(&why),
                }
            }
        }
        followed.changed().await;
    }
}

async fn gone(mut followed: Following, tell: &(dyn Fn(&str) + Send + Sync)) -> Result<(), KubeError> {
    let (mut uid, mut told): (Option<Json>, String) = (None, String::new());
    loop {
        match followed.now()? {
            Now::Unknown => {}
            Now::Absent => return Ok(()),
            Now::Is(object) => {
                if *uid.get_or_insert_with(|| object["metadata"]["uid"].clone()) != object["metadata"]["uid"] {
                    return Ok(());
                }
                let why = held_by(&object);
                if why != told {
                    tell(&why);
                    told = why;
                }
            }
        }
        followed.changed().await;
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
