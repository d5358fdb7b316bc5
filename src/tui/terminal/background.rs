//! Jobs that go on after the interface was left: nothing is shown or typed any more, only the system is heard. Other
//! processes see the jobs and stop them through the engine's socket.

use super::signals::{Signal, Signals};
use crate::engine::{Engine, Event, JobHandle};

/// Waits until no job runs; asked to end, stops them first. The engine is shut down afterwards: their locks are gone.
pub async fn see_through(engine: &Engine) {
    let mut events = engine.subscribe();
    // Without signals the jobs are seen through all the same: ended by SIGTERM, they leave locks that go stale.
    let mut signals = Signals::new().ok();
    while !engine.running().is_empty() {
        tokio::select! {
            signal = next(&mut signals) => {
                // There is no terminal any more that could be gone or stop anybody.
                if signal == Signal::End {
                    engine.running().iter().for_each(JobHandle::cancel);
                }
            }
            event = events.recv() => match event {
                Some(Event::Warning(text)) => tracing::warn!("{text}"),
                Some(_) => {}
                None => return,
            },
        }
    }
    engine.shutdown(false);
}

async fn next(signals: &mut Option<Signals>) -> Signal {
    match signals {
        Some(signals) => signals.next().await,
        None => std::future::pending().await,
    }
}
