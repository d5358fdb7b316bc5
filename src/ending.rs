//! Work that is to come to its end even when the process is told to stop: a command that starts a service again, a
//! snapshot that must be deleted, a rollback half done. Whoever does it holds an [`Owed`]; whoever ends the process waits.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// All such work of this process.
static OPEN: Ledger = Ledger::new();

struct Ledger {
    count: Mutex<usize>,
    done: Condvar,
}

/// Work that is still owed. Paid when this is dropped.
#[must_use]
pub struct Owed(&'static Ledger);

/// From now until the value is dropped the process is not ended for having been slow to stop.
pub fn owe() -> Owed {
    OPEN.owe()
}

/// Waits until nothing is owed; whether anything was.
pub fn wait() -> bool {
    OPEN.wait()
}

impl Ledger {
    const fn new() -> Ledger {
        Ledger {
            count: Mutex::new(0),
            done: Condvar::new(),
        }
    }

    fn owe(&'static self) -> Owed {
        *self.count() += 1;
        Owed(self)
    }

    fn wait(&self) -> bool {
        let count = self.count();
        let owed = *count > 0;
        drop(self.done.wait_while(count, |count| *count > 0));
        owed
    }

    fn count(&self) -> MutexGuard<'_, usize> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        *self.0.count() -= 1;
        self.0.done.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_not_ended_while_something_is_owed() {
        // One of its own: hooks of other tests are owed in the common one.
        static LEDGER: Ledger = Ledger::new();
        assert!(!LEDGER.wait());
        let (first, second) = (LEDGER.owe(), LEDGER.owe());
        drop(first);
        let (tell, told) = std::sync::mpsc::channel();
        let waiting = std::thread::spawn(move || {
            tell.send(()).unwrap();
            LEDGER.wait();
            *LEDGER.count()
        });
        told.recv().unwrap();
        assert!(!waiting.is_finished());
        drop(second);
        assert_eq!(waiting.join().unwrap(), 0);
    }
}
