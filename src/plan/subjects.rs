//! Which gates of a phase run: a gate belongs to what it looks at.
//!
//! In: what a gate names ([`Subject`]), and every object that the plan makes or state has. Out: a [`GateDecision`]. Where a run is about a
//! part of the project, a gate runs when what it looks at takes part in it and is all there when the phase is done. In a run of everything
//! each gate runs, but is told of objects that nothing in the project makes, which it need not wait for. Not here: arguments of gates and
//! phases (`gates`), and the cluster, which nobody asks while planning.

use std::borrow::Cow;

use crate::diag::did_you_mean;
use crate::gate::{Absent, Fit, KnownFrom, Made, ObjectName, Others, Subject, is_behind, makes_others, stands_for};
use crate::graph::{Graph, Node, NodeId};
use crate::value::Value;

use super::model::GateDecision;

/// An object of the plan or of state that stands for one of the cluster.
pub(super) struct Candidate<'a> {
    /// Which object it stands for.
    pub(super) made: Made,
    /// Its attributes.
    pub(super) object: Cow<'a, Value>,
    /// Whether it is there when the plan is carried out.
    pub(super) stays: bool,
    /// Whether it takes part in the plan.
    pub(super) takes_part: bool,
}

/// What is known of the objects of a run.
pub(super) struct Facts<'a> {
    /// Those that stand for an object of the cluster.
    pub(super) candidates: Vec<Candidate<'a>>,
    /// Resources that may make objects which none of the candidates stands for: where, and whether they take part.
    pub(super) others: Vec<(Others, bool)>,
    /// Types of the resources that take no part, whether they have objects or not.
    pub(super) left_out: Vec<&'a str>,
    /// Whether the run is about a part of the project.
    pub(super) partial: bool,
    /// What they are known from.
    pub(super) known_from: KnownFrom,
}

/// One of the objects that have to be there for a gate to pass.
struct Part {
    /// How messages call it.
    what: String,
    /// The object to look for in the cluster when nothing here makes it.
    object: Option<ObjectName>,
    standing: Standing,
}

/// How such an object stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is there when the plan is carried out.
    Here { takes_part: bool },
    /// That cannot be told: names are not known yet, or something may make it that does not say so.
    Open { takes_part: bool },
    /// Nothing that is known makes it.
    Nowhere,
}

impl Standing {
    fn takes_part(self) -> bool {
        match self {
            Standing::Here { takes_part } | Standing::Open { takes_part } => takes_part,
            Standing::Nowhere => false,
        }
    }
}

impl<'a> Facts<'a> {
    /// Nothing is known yet.
    pub(super) fn new(partial: bool, known_from: KnownFrom) -> Self {
        Facts { candidates: Vec::new(), others: Vec::new(), left_out: Vec::new(), partial, known_from }
    }

    /// Takes in an object: whether it is there when the plan is carried out, and whether it takes part.
    pub(super) fn add(&mut self, kind: &str, object: Cow<'a, Value>, stays: bool, takes_part: bool) {
        let made = Made::of(kind, &object);
        let others = makes_others(kind, made.as_ref());
        if stays && others != Others::None {
            self.others.push((others, takes_part));
        }
        self.candidates.extend(made.map(|made| Candidate { made, object, stays, takes_part }));
    }

    /// Takes in what the configuration has beside objects. `selected`: for each node, whether it takes part.
    pub(super) fn add_configuration(&mut self, graph: &'a Graph, selected: &dyn Fn(usize) -> bool) {
        for (index, node) in graph.nodes.iter().enumerate() {
            let Some((_, resource)) = graph.resource(NodeId(index as u32)) else { continue };
            if !matches!(node, Node::Resource(..)) {
                continue;
            }
            // Programs may make anything.
            if !resource.provision.provisioners.is_empty() {
                self.others.push((Others::Anywhere, selected(index)));
            }
            if !selected(index) {
                self.left_out.push(&resource.addr.kind);
            }
        }
        if graph.modules.iter().any(|module| !module.module.actions.is_empty()) {
            self.others.push((Others::Anywhere, true));
        }
    }

    /// What becomes of a gate that looks at `subjects`; `None` when that does not tell.
    pub(super) fn decide(&self, subjects: &[Subject]) -> Option<GateDecision> {
        let parts: Vec<Part> = subjects.iter().flat_map(|subject| self.parts(subject)).collect();
        let first = parts.first()?;
        if !self.partial {
            let nowhere = parts.iter().filter(|part| part.standing == Standing::Nowhere);
            let absent = nowhere.filter_map(|part| part.object.as_ref()).map(|object| self.absent(object));
            return Some(GateDecision::Runs { absent: absent.collect() });
        }
        if !parts.iter().any(|part| part.standing.takes_part()) {
            let reason = format!("{} takes no part in this plan", first.what);
            return Some(GateDecision::LeftOut { reason, touched: false });
        }
        let missing = parts.iter().find(|part| part.standing == Standing::Nowhere);
        Some(match missing {
            Some(part) => {
                let reason = format!("{} is not there yet and takes no part in this plan", part.what);
                GateDecision::LeftOut { reason, touched: true }
            }
            None => GateDecision::Runs { absent: Vec::new() },
        })
    }

    fn parts(&self, subject: &Subject) -> Vec<Part> {
        match subject {
            Subject::Object(object) => vec![self.part(object)],
            Subject::Gone(object) => self.going(object).into_iter().collect(),
            Subject::Service(service) => std::iter::once(self.part(service)).chain(self.behind(service)).collect(),
            Subject::Pod { pod, set } => {
                let own = self.part(pod);
                let of_set = set.as_ref().map(|set| self.part(set));
                match (own.standing, of_set) {
                    (Standing::Nowhere, Some(set)) if set.standing != Standing::Nowhere => vec![set],
                    _ => vec![own],
                }
            }
        }
    }

    fn part(&self, object: &ObjectName) -> Part {
        let fitting = |fit: Fit| {
            let here = self.candidates.iter().filter(move |known| known.stays && known.made.fits(object) == fit);
            here.map(|known| known.takes_part).reduce(|some, more| some || more)
        };
        let standing = match (fitting(Fit::Yes), fitting(Fit::Maybe)) {
            (Some(takes_part), _) => Standing::Here { takes_part },
            (None, Some(takes_part)) => Standing::Open { takes_part },
            // Its name is not known while its block takes no part: rather that one than something that does not say what it makes.
            (None, None) if self.left_out.iter().any(|left_out| stands_for(left_out, object)) => Standing::Nowhere,
            (None, None) => self.made_by_others(object.namespace.as_deref()),
        };
        Part { what: object.to_string(), object: Some(object.clone()), standing }
    }

    /// An object that has to go is never missing. One that nobody here has ever made belongs to no part of the run.
    fn going(&self, object: &ObjectName) -> Option<Part> {
        let known = self.candidates.iter().filter(|known| known.made.fits(object) == Fit::Yes);
        let takes_part = known.map(|known| known.takes_part).reduce(|some, more| some || more);
        let takes_part = if self.partial { takes_part? } else { true };
        Some(Part { what: object.to_string(), object: None, standing: Standing::Here { takes_part } })
    }

    /// The workloads that a service of this run selects. Which workload it is to be is only asked where some may be left out.
    fn behind(&self, service: &ObjectName) -> Vec<Part> {
        let mut parts = Vec::new();
        let services = self.candidates.iter().filter(|known| known.stays && known.made.fits(service) == Fit::Yes);
        for known in services.filter(|_| self.partial) {
            let workloads = self.candidates.iter().filter(|other| {
                other.stays
                    && other.made.is_workload_in(service.namespace.as_deref())
                    && is_behind(&known.object, &other.object) == Some(true)
            });
            let before = parts.len();
            parts.extend(workloads.map(|other| Part {
                what: other.made.to_string(),
                object: None,
                standing: Standing::Here { takes_part: other.takes_part },
            }));
            let selects = is_behind(&known.object, &Value::NULL).is_some();
            if selects && parts.len() == before {
                let standing = self.made_by_others(service.namespace.as_deref());
                parts.push(Part { what: format!("What is behind {service}"), object: None, standing });
            }
        }
        parts
    }

    fn made_by_others(&self, namespace: Option<&str>) -> Standing {
        let may = |others: &Others| match others {
            Others::None => false,
            Others::System => namespace.is_none_or(|namespace| namespace.starts_with("kube-")),
            Others::Anywhere => true,
        };
        let others = self.others.iter().filter(|(others, _)| may(others)).map(|(_, takes_part)| *takes_part);
        match others.reduce(|some, more| some || more) {
            Some(takes_part) => Standing::Open { takes_part },
            None => Standing::Nowhere,
        }
    }

    fn absent(&self, object: &ObjectName) -> Absent {
        let alike: Vec<String> = self.candidates.iter().filter_map(|known| known.made.alike(object)).collect();
        let hint = did_you_mean(&object.place(), alike.iter().map(String::as_str));
        Absent { object: object.clone(), hint, known_from: self.known_from }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::gate::subjects;
    use crate::value::from_json;

    /// `+ TYPE NS/NAME [app]` takes part, `= …` is there and takes none, `- …` goes; `? TYPE` is a block that is left out. A Service selects `app`, a workload carries it.
    fn facts<'a>(lines: &[&'a str], partial: bool) -> Facts<'a> {
        let mut facts = Facts::new(partial, KnownFrom::Plan);
        for line in lines {
            if let Some(left_out) = line.strip_prefix("? ") {
                facts.left_out.push(left_out);
                continue;
            }
            let mut words = line.split(' ');
            let (sign, resource_type) = (words.next().unwrap(), words.next().unwrap());
            let (namespace, name) = words.next().and_then(|place| place.split_once('/')).unwrap_or_default();
            let meta = format!(r#""metadata": [{{"namespace": "{namespace}", "name": "{name}"}}]"#);
            let spec = words.next().map_or_else(String::new, |app| {
                format!(r#", "spec": [{{"selector": {{"app": "{app}"}}, "template": [{{"metadata": [{{"labels": {{"app": "{app}"}}}}]}}]}}]"#)
            });
            let object = from_json(format!("{{{meta}{spec}}}").as_bytes()).unwrap();
            facts.add(resource_type, Cow::Owned(object), sign != "-", sign != "=");
        }
        facts
    }

    fn decided(lines: &[&str], partial: bool, kind: &str, arguments: &[(&str, &str)]) -> String {
        let arguments = Value::object(arguments.iter().map(|(name, value)| match *value {
            "false" => (*name, Value::Bool(false)),
            value => (*name, Value::from(value)),
        }));
        match facts(lines, partial).decide(&subjects(kind, &arguments)) {
            None => "cannot be told".into(),
            Some(GateDecision::NotDue) => "not due".into(),
            Some(GateDecision::LeftOut { reason, touched }) => {
                format!("{reason}{}", if touched { " (touched)" } else { "" })
            }
            Some(GateDecision::Runs { absent }) if absent.is_empty() => "runs".into(),
            Some(GateDecision::Runs { absent }) => {
                absent.iter().map(|absent| format!("nobody makes {}.{}", absent.object, absent.hint)).collect()
            }
        }
    }

    const WEB: &[(&str, &str)] =
        &[("api_version", "apps/v1"), ("kind", "Deployment"), ("namespace", "apps"), ("name", "web")];

    #[test]
    fn in_a_run_of_everything_a_gate_is_told_what_nobody_makes() {
        let decided = |lines: &[&str], kind: &str, arguments: &[(&str, &str)]| decided(lines, false, kind, arguments);
        assert_eq!(decided(&["+ kubernetes_deployment apps/web"], "kubernetes", WEB), "runs");
        assert_eq!(decided(&["= kubernetes_deployment_v1 apps/web"], "kubernetes", WEB), "runs");
        assert_eq!(decided(&[], "kubernetes", WEB), "nobody makes Deployment apps/web.");
        assert_eq!(
            decided(&["- kubernetes_deployment apps/web"], "kubernetes", WEB),
            "nobody makes Deployment apps/web."
        );
        assert_eq!(
            decided(&["+ kubernetes_deployment apps/wep", "+ kubernetes_service apps/web"], "kubernetes", WEB),
            "nobody makes Deployment apps/web. Did you mean \"apps/wep\"?"
        );
        // What a name that is not known yet, a chart, an operator or a program may still make.
        for other in ["kubernetes_deployment apps/", "helm_release", "kubernetes_job apps/setup", "ssh_exec"] {
            assert_eq!(decided(&[&format!("+ {other}")], "kubernetes", WEB), "runs", "{other}");
        }
        assert_eq!(decided(&["+ k3s_server"], "kubernetes", WEB), "nobody makes Deployment apps/web.");
        let traefik =
            [("api_version", "apps/v1"), ("kind", "Deployment"), ("namespace", "kube-system"), ("name", "traefik")];
        assert_eq!(decided(&["+ k3s_server"], "kubernetes", &traefik), "runs");
        assert_eq!(decided(&["+ k3s_server"], "kubernetes", &[("kind", "Node"), ("name", "a")]), "runs");
        let gone: Vec<_> = WEB.iter().copied().chain([("exists", "false")]).collect();
        assert_eq!(decided(&[], "kubernetes", &gone), "runs");
        // A service without a workload of this project may have one of somebody else's.
        assert_eq!(decided(&["+ kubernetes_service data/db db"], "redis", &[("service", "data/db")]), "runs");
        assert_eq!(decided(&[], "redis", &[("service", "data/db")]), "nobody makes Service data/db.");
        assert_eq!(decided(&["+ kubernetes_stateful_set data/db"], "exec", &[("pod", "data/db-0")]), "runs");
        assert_eq!(decided(&["+ kubernetes_pod data/db"], "exec", &[("pod", "data/db")]), "runs");
        assert_eq!(decided(&[], "exec", &[("pod", "data/db-0")]), "nobody makes Pod data/db-0.");
        for (kind, argument) in [("http", "url"), ("tcp", "address"), ("command", "argv"), ("kubernetes", "ready")] {
            assert_eq!(decided(&[], kind, &[(argument, "x")]), "cannot be told");
        }
    }

    #[test]
    fn in_a_run_of_a_part_a_gate_runs_with_what_it_looks_at() {
        let decided = |lines: &[&str], kind: &str, arguments: &[(&str, &str)]| decided(lines, true, kind, arguments);
        let none = "Deployment apps/web takes no part in this plan";
        assert_eq!(decided(&["+ kubernetes_deployment apps/web"], "kubernetes", WEB), "runs");
        assert_eq!(
            decided(&["= kubernetes_deployment apps/web", "+ kubernetes_service apps/web"], "kubernetes", WEB),
            none
        );
        assert_eq!(decided(&["+ kubernetes_stateful_set data/db"], "kubernetes", WEB), none);
        assert_eq!(decided(&["= helm_release"], "kubernetes", WEB), none);
        assert_eq!(decided(&["+ helm_release"], "kubernetes", WEB), "runs");
        assert_eq!(decided(&["+ helm_release", "? kubernetes_deployment"], "kubernetes", WEB), none);
        assert_eq!(decided(&["+ helm_release", "? kubernetes_manifest"], "kubernetes", WEB), none);
        assert_eq!(decided(&["+ helm_release", "? kubernetes_secret"], "kubernetes", WEB), "runs");
        let db = [("service", "data/db")];
        let both = ["+ kubernetes_service data/db db", "+ kubernetes_stateful_set data/db db"];
        assert_eq!(decided(&both, "postgresql", &db), "runs");
        // Half of it is there from before: the other half is what is looked at.
        assert_eq!(
            decided(&["= kubernetes_service data/db db", "+ kubernetes_stateful_set data/db db"], "tcp", &db),
            "runs"
        );
        assert_eq!(
            decided(&["+ kubernetes_service data/db db", "= kubernetes_stateful_set data/db db"], "tcp", &db),
            "runs"
        );
        assert_eq!(
            decided(&["= kubernetes_service data/db db", "= kubernetes_stateful_set data/db db"], "tcp", &db),
            "Service data/db takes no part in this plan"
        );
        // A target that leaves the workload out, or the service.
        assert_eq!(
            decided(&["+ kubernetes_service data/db db", "+ kubernetes_stateful_set data/other other"], "tcp", &db),
            "What is behind Service data/db is not there yet and takes no part in this plan (touched)"
        );
        assert_eq!(
            decided(&["+ kubernetes_stateful_set data/db db"], "tcp", &db),
            "Service data/db takes no part in this plan"
        );
        // A service without a selector has no workload to wait for.
        assert_eq!(decided(&["+ kubernetes_service data/db"], "tcp", &db), "runs");
        let replica = [("service", "data/db"), ("replica_service", "data/copy")];
        assert_eq!(
            decided(&both, "postgresql", &replica),
            "Service data/copy is not there yet and takes no part in this plan (touched)"
        );
        let gone: Vec<_> = WEB.iter().copied().chain([("exists", "false")]).collect();
        assert_eq!(decided(&["- kubernetes_deployment apps/web"], "kubernetes", &gone), "runs");
        assert_eq!(decided(&["= kubernetes_deployment apps/web"], "kubernetes", &gone), none);
        assert_eq!(decided(&[], "kubernetes", &gone), "cannot be told");
        assert_eq!(decided(&[], "http", &[("url", "http://a/")]), "cannot be told");
    }
}
