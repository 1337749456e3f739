//! Work shared by threads: pieces in, results in the order of the pieces out, so that nobody can tell from a result which
//! thread was first.
//!
//! Not here: waiting for others (that is what the runtime of `cli` is for); only work that keeps a processor busy.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, available_parallelism, scope};

/// Memory is what a thread costs beyond its time; more than these gain little.
const MOST: usize = 4;

/// The stack of every thread: what may recurse in one may recurse in the others. Values may nest
/// a thousand levels deep, the text of their types twice as deep; the system gives a page of it only once it is touched.
pub const STACK: usize = 64 << 20;

/// Into how many pieces to cut work of a size, where less than `least` is not worth a thread of its own.
pub fn pieces(size: usize, least: usize) -> usize {
    if size < least * 2 {
        // The usual case: nobody has to be asked how many processors there are.
        return 1;
    }
    let processors = available_parallelism().map_or(1, NonZero::get);
    processors.min(MOST).min(size / least).max(1)
}

/// Runs `f` with a stack of [`STACK`] bytes, whatever this thread's own is; `None` when there can be no such thread.
pub fn with_stack<R: Send>(f: impl FnOnce() -> R + Send) -> Option<R> {
    scope(|scope| match Builder::new().stack_size(STACK).spawn_scoped(scope, f).ok()?.join() {
        Ok(result) => Some(result),
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// Runs `f` on every piece, each in a thread of its own and the first in this one.
pub fn each<T: Send, R: Send>(pieces: Vec<T>, f: impl Fn(T) -> R + Sync) -> Vec<R> {
    let f = &f;
    let mut pieces = pieces.into_iter();
    let Some(first) = pieces.next() else { return Vec::new() };
    scope(|scope| {
        let others: Vec<_> = pieces
            .map(|piece| {
                // A piece is given to its thread only once that runs, so that it is still here when there is none.
                let (sender, receiver) = std::sync::mpsc::channel();
                let work = move || receiver.recv().ok().map(f);
                match Builder::new().stack_size(STACK).spawn_scoped(scope, work) {
                    Ok(thread) => match sender.send(piece) {
                        Ok(()) => Running::There(thread),
                        Err(unsent) => Running::Here(unsent.0),
                    },
                    Err(_) => Running::Here(piece),
                }
            })
            .collect();
        let mut results = vec![f(first)];
        for other in others {
            match other {
                Running::Here(piece) => results.push(f(piece)),
                Running::There(thread) => match thread.join() {
                    Ok(result) => results.extend(result),
                    Err(panic) => std::panic::resume_unwind(panic),
                },
            }
        }
        results
    })
}

/// Runs `f` on every item by so many threads, each of which takes the next item when it is done with one: for items that differ
/// in what they cost.
pub fn one_after_another<T: Sync, R: Send>(threads: usize, items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = |()| {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, f(item)));
        }
    };
    let mut done: Vec<(usize, R)> =
        each(vec![(); threads.min(items.len()).max(1)], work).into_iter().flatten().collect();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Where a piece is worked on.
enum Running<T, H> {
    There(H),
    Here(T),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_pieces() {
        let pieces: Vec<u64> = (0..20).collect();
        let slow_first = |piece: u64| (0..(20 - piece) * 1000).fold(piece, |sum, one| sum ^ (one & 1) ^ (one & 1));
        assert_eq!(each(pieces.clone(), slow_first), pieces);
        assert_eq!(each(Vec::<u64>::new(), |piece| piece), Vec::<u64>::new());
        for threads in 0..5 {
            assert_eq!(one_after_another(threads, &pieces, |piece| slow_first(*piece)), pieces);
        }
    }

    #[test]
    fn small_work_stays_whole() {
        assert_eq!(pieces(199, 100), 1);
        assert!((1..=2).contains(&pieces(200, 100)));
        assert!((1..=MOST).contains(&pieces(100_000, 100)));
    }
}
