//! Waiting until the cloud has done what it began: looked at often first, then less often, for a limited time.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::answer::{CloudSnapshot, State, Volume};
use super::attend::pause;
use super::client::Client;
#[cfg(test)]
use super::fault::Fault;
use crate::progress::Cancel;
use crate::snapshot::{Error, Result, Work};

/// The first wait between two looks, and the longest.
const LOOKS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(15));
/// How long the cloud may be out of reach while it works: it goes on working.
const OUTAGE: Duration = Duration::from_secs(600);
/// How long something new may not be known to the cloud yet.
const UNKNOWN: Duration = Duration::from_secs(120);

/// Looks until there is something.
fn until<T>(what: &str, limit: Duration, cancel: &Cancel, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let begin = Instant::now();
    let mut heard = begin;
    let mut wait = LOOKS.0;
    loop {
        match look() {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => heard = Instant::now(),
            Err(Error::Cloud(fault)) if fault.is_passing() && heard.elapsed() < OUTAGE => {
                tracing::debug!("{what}: {fault}");
            }
            Err(error) => return Err(error),
        }
        let left = limit.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return Err(Error::TimedOut {
                what: what.to_owned(),
                seconds: limit.as_secs(),
                then: String::new(),
            });
        }
        pause(wait.min(left), cancel)?;
        wait = (wait * 3 / 2).min(LOOKS.1);
    }
}

/// Waits until a snapshot is whole, and tells how far it is.
pub(super) fn snapshot(client: &Client, id: &str, gib: u64, work: &Work) -> Result<CloudSnapshot> {
    let begin = Instant::now();
    let bytes = gib << 30;
    work.progress.bytes_total.fetch_add(bytes, Ordering::Relaxed);
    let mut told = 0;
    let mut tell = |percent: u8| {
        let done = bytes / 100 * u64::from(percent);
        work.progress
            .bytes_done
            .fetch_add(done.saturating_sub(told), Ordering::Relaxed);
        told = told.max(done);
        work.progress
            .set_current(format!("{id} in {}: {percent} %", client.who()).as_bytes());
    };
    until(&format!("writing {id}"), client.cloud.wait, work.cancel, || {
        let Some(found) = client.snapshot(id, work.cancel)? else {
            return match begin.elapsed() < UNKNOWN {
                true => Ok(None),
                false => Err(refused(client, id, "there is no such snapshot any more")),
            };
        };
        match found.state {
            State::Completed => {
                tell(100);
                Ok(Some(found))
            }
            State::Pending => {
                tell(found.progress.unwrap_or(0));
                Ok(None)
            }
            State::Failed | State::Away => Err(refused(client, id, &found.message)),
        }
    })
}

fn refused(client: &Client, id: &str, said: &str) -> Error {
    Error::Refused {
        who: client.who(),
        what: format!("to finish {id}"),
        said: match said {
            "" => "it does not say why".into(),
            said => said.to_owned(),
        },
    }
}

/// Waits until a volume is as wanted.
pub(super) fn volume(
    client: &Client,
    id: &str,
    what: &str,
    cancel: &Cancel,
    wanted: impl Fn(&Volume) -> bool,
) -> Result<Volume> {
    until(&format!("{what} {id}"), client.cloud.wait, cancel, || {
        let found = client.volume(id, cancel)?;
        if let Some(broken) = found.as_ref().filter(|volume| volume.state == "error") {
            return Err(refused(client, &broken.id, "the cloud could not make it"));
        }
        Ok(found.filter(&wanted))
    })
}

/// The same error, with what was done about it where it took too long.
pub(super) fn and_then(error: Error, done: &str) -> Error {
    match error {
        Error::TimedOut { what, seconds, .. } => Error::TimedOut {
            what,
            seconds,
            then: format!("; {done}; the limit is wait-seconds of the cloud in the config"),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloud_that_is_out_of_reach_for_a_moment_is_waited_for() {
        let mut looks = 0;
        let look = || {
            looks += 1;
            let (cloud, why) = ("aws".to_owned(), "the connection is refused".to_owned());
            match looks {
                1 => Err(Fault::Unreachable { cloud, why }.into()),
                2 => Ok(Some(())),
                _ => Err(Fault::Setting { cloud, why }.into()),
            }
        };
        let mut look = look;
        until("x", Duration::from_secs(60), &Cancel::default(), &mut look).unwrap();
        assert!(until("x", Duration::from_secs(60), &Cancel::default(), look).is_err());
    }

    #[test]
    fn waiting_ends_at_its_limit_and_when_told() {
        let mut looks = 0;
        let look = || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        };
        let cancel = Cancel::default();
        assert_eq!(until("x", Duration::from_secs(60), &cancel, look).unwrap(), 3);
        let late = until::<()>("x", Duration::from_millis(150), &cancel, || Ok(None)).unwrap_err();
        assert!(matches!(late, Error::TimedOut { .. }));
        cancel.cancel();
        let told = until::<()>("x", Duration::from_secs(60), &cancel, || Ok(None)).unwrap_err();
        assert!(matches!(told, Error::Cancelled(_)));
    }
}
