//! Requests and waits that end when they are told to.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::progress::{Cancel, Cancelled};

/// How often a stop is looked for while waiting.
const LOOK: Duration = Duration::from_millis(20);

/// Whether a request may be sent again when it is not known whether it was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It changes nothing, or the same a second time.
    Safe,
    /// It would make a second one.
    Never,
}

/// Runs a request so that a stop need not wait for its answer. One that must not be repeated is waited for all the same:
/// what it made has to be known.
pub(super) fn attended<T: Send + 'static>(
    send: impl FnOnce() -> Result<T, ureq::Error> + Send + 'static,
    again: Again,
    cancel: &Cancel,
) -> Result<Result<T, ureq::Error>, Cancelled> {
    if again == Again::Never {
        return Ok(send());
    }
    let (done, wait) = channel();
    std::thread::spawn(move || done.send(send()));
    loop {
        match wait.recv_timeout(LOOK) {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Timeout) => cancel.check()?,
            Err(RecvTimeoutError::Disconnected) => return Ok(Err(ureq::Error::ConnectionFailed)),
        }
    }
}

/// Waits, unless told to stop.
pub(super) fn pause(time: Duration, cancel: &Cancel) -> Result<(), Cancelled> {
    let end = Instant::now() + time;
    loop {
        cancel.check()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(LOOK));
    }
}
