//! What happens during a run, told while it happens: as lines, as JSON, or as a live block on a terminal.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use crate::event::{Event, Events};
use crate::plan::Plan;
use crate::view::{self, Board, Lines, Stream};

use super::terminal::Terminal;

/// How often the live block is drawn anew.
const FRAME: Duration = Duration::from_millis(100);

/// Hears events and tells them. Diagnostics among them are left to the end of the run, which says everything once.
#[derive(Clone)]
pub(super) struct Listener(Arc<Inner>);

struct Inner {
    terminal: Terminal,
    began: Instant,
    way: Mutex<Way>,
    /// Gates that did not pass.
    failed_gates: Mutex<Vec<String>>,
}

/// How it is told.
enum Way {
    Quiet,
    Lines(Lines),
    Stream(Stream),
    Live { board: Box<Board>, bar: ProgressBar, drawn: Instant },
}

impl Listener {
    /// One that tells nothing but whom it waits for.
    pub fn quiet(terminal: Terminal) -> Self {
        Listener::telling(terminal, Way::Quiet)
    }

    /// One that tells lines, redraws a block on a terminal, or writes JSON. `prefixes_layers`: addresses with layers.
    pub fn new(terminal: Terminal, prefixes_layers: bool, json: bool) -> Self {
        let way = if json {
            Way::Stream(Stream::new(prefixes_layers))
        } else if terminal.live {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            let board = Box::new(Board::new(terminal.style, prefixes_layers));
            Way::Live { board, bar, drawn: Instant::now() }
        } else {
            Way::Lines(Lines::new(terminal.style, prefixes_layers))
        };
        let listener = Listener::telling(terminal, way);
        listener.tick();
        listener
    }

    fn telling(terminal: Terminal, way: Way) -> Self {
        let inner = Inner { terminal, began: Instant::now(), way: Mutex::new(way), failed_gates: Mutex::default() };
        Listener(Arc::new(inner))
    }

    /// Keeps the times in the live block going while nothing happens. Ends with the listener.
    fn tick(&self) {
        if !matches!(*self.way(), Way::Live { .. }) {
            return;
        }
        let weak = Arc::downgrade(&self.0);
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(FRAME * 2);
                let Some(inner) = weak.upgrade() else { return };
                Listener(inner).draw(true);
            }
        });
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.0.way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, now: bool) {
        if let Way::Live { board, bar, drawn } = &mut *self.way()
            && (now || drawn.elapsed() >= FRAME)
            && !board.is_empty()
            && !bar.is_finished()
        {
            *drawn = Instant::now();
            let width = self.0.terminal.style.width.unwrap_or(100);
            bar.set_message(board.lines(self.0.began.elapsed(), width).join("\n"));
            bar.tick();
        }
    }

    /// Prints something of its own; a live block makes room for it.
    pub fn print(&self, text: &str) {
        match &*self.way() {
            Way::Live { bar, .. } => bar.suspend(|| self.0.terminal.print(text)),
            Way::Quiet | Way::Lines(_) | Way::Stream(_) => self.0.terminal.print(text),
        }
    }

    /// Says something to whoever follows the run, in the form that the run is told in.
    pub fn log(&self, text: &str) {
        let line = match &*self.way() {
            Way::Stream(stream) => Some(stream.log(text, Timestamp::now())),
            Way::Quiet | Way::Lines(_) | Way::Live { .. } => None,
        };
        self.print(&line.unwrap_or_else(|| format!("{text}\n")));
    }

    /// Tells the live block what is going to be carried out.
    pub fn expect(&self, plan: &Plan) {
        if let Way::Live { board, .. } = &mut *self.way() {
            board.expect(plan);
        }
    }

    /// The line of an event as it stands above a live block.
    fn line_above(&self, event: &Event) -> Option<String> {
        match &*self.way() {
            Way::Live { board, .. } => {
                Lines::new(self.0.terminal.style, board.prefixes_layers()).line(event, Duration::ZERO)
            }
            Way::Quiet | Way::Lines(_) | Way::Stream(_) => None,
        }
    }

    /// The gates that did not pass.
    pub fn failed_gates(&self) -> Vec<String> {
        self.0.failed_gates.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Nothing more will happen: removes the live block.
    pub fn finish(&self) {
        if let Way::Live { bar, .. } = &*self.way() {
            bar.finish_and_clear();
        }
    }

    /// Takes the live block away while something else has the screen, such as a question; the next event brings it back.
    pub fn clear(&self) {
        if let Way::Live { bar, board, .. } = &mut *self.way() {
            bar.set_message("");
            bar.tick();
            board.forget_note();
        }
    }
}

impl Events for Listener {
    fn emit(&self, event: Event) {
        let inner = &self.0;
        if let Event::GateEnded { gate, failed: true, .. } = &event {
            inner.failed_gates.lock().unwrap_or_else(PoisonError::into_inner).push(gate.clone());
        }
        if let Event::Recovered(recovery) = &event
            && matches!(*self.way(), Way::Live { .. })
        {
            // It stays readable above the block.
            return self.print(&view::recovered(recovery, inner.terminal.style));
        }
        let spoken = matches!(&event, Event::ProvisionOutput { .. } | Event::ActionProgress { .. });
        if let (true, Some(line)) = (spoken, self.line_above(&event)) {
            self.print(&line);
        }
        let text = match &mut *self.way() {
            // Somebody who waits is told for whom, whatever is quiet otherwise.
            Way::Quiet if matches!(event, Event::LockWaiting { .. }) => {
                Lines::new(inner.terminal.style, false).line(&event, Duration::ZERO)
            }
            Way::Quiet => None,
            Way::Lines(lines) => lines.line(&event, inner.began.elapsed()),
            Way::Stream(stream) => stream.event(&event, Timestamp::now()),
            Way::Live { board, .. } => {
                board.take(&event, inner.began.elapsed());
                None
            }
        };
        match text {
            Some(text) => inner.terminal.print(&text),
            None => self.draw(false),
        }
    }
}
