//! Showing a plan and asking whether it shall be carried out.

use std::time::Instant;

use jiff::Timestamp;

use crate::apply::Stop;
use crate::config::DEFAULT_WORKSPACE;
use crate::ops::{Answer, Approve, Question, Session};
use crate::plan::Plan;
use crate::view::{self, Ink, Stream};

use super::listen::Listener;
use super::plan::heading;
use super::terminal::Terminal;

/// Asks on the terminal; shows only, where nobody can be asked.
pub(super) struct Prompt<'a> {
    pub session: &'a Session,
    pub terminal: Terminal,
    pub listener: Listener,
    pub stop: Stop,
    pub json: bool,
    pub began: Instant,
    /// Whether a plan was shown already: further ones are segments.
    pub shown: bool,
    /// Whether plans are not shown at all.
    pub quiet: bool,
}

impl Prompt<'_> {
    /// Where it will happen, as the question names it: nothing for the one place that is always there.
    fn place(&self) -> String {
        let config = &self.session.config;
        let word = if config.project.is_some() { "environment" } else { "workspace" };
        if config.environment == *DEFAULT_WORKSPACE {
            String::new()
        } else {
            format!(" in {word} \"{}\"", config.environment)
        }
    }

    fn present(&mut self, plan: &Plan) {
        self.listener.clear();
        self.listener.expect(plan);
        if self.quiet {
            return;
        }
        let first = !std::mem::replace(&mut self.shown, true);
        if self.json {
            self.listener.print(&Stream::new(plan.prefixes_layers).plan(plan, Timestamp::now()));
            return;
        }
        let head = if first {
            heading(self.session, plan, self.began)
        } else {
            format!("\n{}\n", self.terminal.style.bold("With what became known, the rest is planned:"))
        };
        self.listener.print(&head);
        view::plan_in_pieces(plan, self.terminal.style, &mut |piece| self.listener.print(piece));
    }
}

impl Approve for Prompt<'_> {
    fn ask(&mut self, question: &Question<'_>) -> Answer {
        self.present(question.plan);
        let style = self.terminal.style;
        if !self.json && !question.first && !question.beyond.is_empty() {
            let mut text = style.paint(Ink::Yellow, &style.bold("This goes beyond what was approved:"));
            text.push('\n');
            for planned in &question.beyond {
                let address = planned.change.addr.in_project(question.plan.prefixes_layers);
                text.push_str(&format!("  {} {address}\n", style.symbol(planned.change.action)));
            }
            self.listener.print(&text);
        }
        if self.json || !self.terminal.asks {
            return Answer::Nobody;
        }
        let stopped = || self.stop.is_asked();
        let answer = self.terminal.ask(&view::approval(question.plan.mode, &self.place(), style), &stopped);
        self.terminal.print("\n");
        match answer.as_deref() {
            Some("yes") => Answer::Yes,
            // The input has ended: whoever was to answer is not there.
            None if !self.stop.is_asked() => Answer::Nobody,
            Some(_) | None => Answer::No,
        }
    }

    fn show(&mut self, plan: &Plan) {
        self.present(plan);
    }

    fn begins(&mut self, plan: &Plan) {
        self.listener.expect(plan);
        if self.json {
            self.listener.print(&Stream::new(plan.prefixes_layers).planned_changes(plan, Timestamp::now()));
        }
    }
}
