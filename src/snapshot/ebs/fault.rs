//! What can go wrong with a cloud, and what of it may go right when tried again.

use std::time::Duration;

/// What went wrong, with what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No answer came.
    #[error("{cloud} cannot be reached: {why}; check the network and the endpoint")]
    Unreachable {
        /// The cloud, for people: `aws (eu-central-1)`.
        cloud: String,
        /// Why.
        why: String,
    },
    /// There are none to use.
    #[error("{cloud} has no credentials: {why}")]
    NoCredentials {
        /// The cloud.
        cloud: String,
        /// Why, and what would help.
        why: String,
    },
    /// It does not know them.
    #[error("{cloud} does not accept these credentials ({key}): {said}; {help}")]
    Credentials {
        /// The cloud.
        cloud: String,
        /// The key's id, which is no secret.
        key: String,
        /// Its own words.
        said: String,
        /// What would help.
        help: &'static str,
    },
    /// It knows them, and does not let them.
    #[error("{cloud} does not let {key} do this: allow ec2:{action} to it; it said: {said}")]
    Forbidden {
        /// The cloud.
        cloud: String,
        /// The key's id.
        key: String,
        /// What was asked for.
        action: &'static str,
        /// Its own words.
        said: String,
    },
    /// It wants to be asked less often, and went on saying so.
    #[error("{cloud} is asked too often ({said}): {tries} tries of {action} were put off; try again in a few minutes")]
    Throttled {
        /// The cloud.
        cloud: String,
        /// What was asked for.
        action: &'static str,
        /// Its own words.
        said: String,
        /// How often it was tried.
        tries: u32,
    },
    /// It failed, or the answer was lost: what was asked for may have been done or not.
    #[error("{cloud} failed at {action}: {said}; try again in a few minutes")]
    Failed {
        /// The cloud.
        cloud: String,
        /// What was asked for.
        action: &'static str,
        /// Its own words, or the network's.
        said: String,
    },
    /// It said no.
    #[error("{cloud} refused {action}: {said}{help}")]
    Refused {
        /// The cloud.
        cloud: String,
        /// What was asked for.
        action: &'static str,
        /// Its code for it.
        code: String,
        /// Its own words.
        said: String,
        /// What to do next, starting with `; `; empty where that is not known.
        help: &'static str,
    },
    /// Its answer makes no sense.
    #[error("what {cloud} answered to {action} cannot be understood: {why}; is the endpoint one of the EC2 interface?")]
    Answer {
        /// The cloud.
        cloud: String,
        /// What was asked for.
        action: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// What it was told to reach it by makes no sense.
    #[error("{cloud}: {why}")]
    Setting {
        /// The cloud.
        cloud: String,
        /// What is wrong, and what would be right.
        why: String,
    },
}

impl Fault {
    /// Whether it is a refusal with this code.
    pub fn is(&self, wanted: &str) -> bool {
        matches!(self, Fault::Refused { code, .. } if code == wanted)
    }

    /// Whether it may be over in a while.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Fault::Unreachable { .. } | Fault::Throttled { .. } | Fault::Failed { .. } | Fault::Answer { .. }
        )
    }

    /// Whether what was asked for may have been done all the same.
    pub fn is_unclear(&self) -> bool {
        matches!(self, Fault::Failed { .. } | Fault::Answer { .. })
    }
}

/// What a code of the cloud means for the one who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Ask less often: nothing was done.
    Throttled,
    /// It failed; perhaps after doing it.
    Failed,
    /// The credentials are wrong.
    Credentials(&'static str),
    /// The credentials were lent and have ended.
    Ended,
    /// The credentials may not.
    Forbidden,
    /// No, with what to do next.
    Refused(&'static str),
}

/// What an answer that is no success means. Codes are those of EC2's "Error codes".
pub(super) fn meaning(status: u16, code: &str) -> Meaning {
    match code {
        "RequestLimitExceeded"
        | "Throttling"
        | "ThrottlingException"
        | "RequestThrottled"
        | "BandwidthLimitExceeded"
        | "SnapshotCreationPerVolumeRateExceeded"
        | "SlowDown" => Meaning::Throttled,
        "AuthFailure" | "InvalidClientTokenId" | "InvalidAccessKeyId" | "UnrecognizedClientException" => {
            Meaning::Credentials("check the key, and that it belongs to this cloud and region")
        }
        "SignatureDoesNotMatch" => Meaning::Credentials("check the secret key, and this machine's clock"),
        "RequestExpired" | "RequestTimeTooSkewed" => Meaning::Credentials("check this machine's clock"),
        "ExpiredToken" | "ExpiredTokenException" => Meaning::Ended,
        "MissingAuthenticationToken" | "IncompleteSignature" | "OptInRequired" | "PendingVerification" | "Blocked" => {
            Meaning::Credentials("check the account with the cloud")
        }
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" => Meaning::Forbidden,
        "InvalidSnapshot.InUse" => Meaning::Refused("; an image (AMI) is made of it: deregister that image first"),
        "SnapshotLimitExceeded" | "PendingSnapshotLimitExceeded" | "ConcurrentSnapshotLimitExceeded" => {
            Meaning::Refused("; delete snapshots, wait for those under way, or have the limit raised")
        }
        "SnapshotLocked" | "InvalidSnapshot.Locked" => Meaning::Refused("; it is locked in the cloud itself"),
        _ if status == 429 => Meaning::Throttled,
        _ if status >= 500 => Meaning::Failed,
        _ => Meaning::Refused(""),
    }
}

/// Why another try is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It wants to be asked less often.
    Throttled,
    /// It failed, or the answer was lost.
    Failed,
    /// It was not reached.
    Unreachable,
    /// It was reached, and said nothing for long.
    Silent,
}

impl Trouble {
    /// Whether it is sure that nothing was done.
    pub fn is_clear(self) -> bool {
        matches!(self, Trouble::Throttled | Trouble::Unreachable)
    }
}

/// The longest wait between two tries.
const LONGEST: Duration = Duration::from_secs(20);

/// How long to wait at most before the next try, after `tries` of them; `None` when enough were made.
pub(super) fn next_try(trouble: Trouble, tries: u32) -> Option<Duration> {
    let (most, first) = match trouble {
        Trouble::Throttled => (10, Duration::from_millis(200)),
        Trouble::Failed => (5, Duration::from_millis(200)),
        Trouble::Unreachable => (3, Duration::from_millis(100)),
        // Each of these has taken long already.
        Trouble::Silent => (2, Duration::from_millis(200)),
    };
    (tries < most).then(|| first.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(LONGEST))
}

/// A wait between half of the longest and the longest, by a random number: many that were put off together do not come back
/// together.
pub(super) fn jitter(longest: Duration, random: u32) -> Duration {
    longest / 2 + (longest / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_bounded_and_wait_longer_each_time() {
        for trouble in [
            Trouble::Throttled,
            Trouble::Failed,
            Trouble::Unreachable,
            Trouble::Silent,
        ] {
            let waits: Vec<Duration> = (1..).map_while(|tries| next_try(trouble, tries)).collect();
            assert!(waits.len() < 10, "{trouble:?}");
            assert!(waits.is_sorted() && waits.iter().all(|wait| *wait <= LONGEST));
            let all: Duration = waits.iter().sum();
            assert!(all < Duration::from_secs(100), "{trouble:?}: {all:?}");
        }
        let wait = Duration::from_secs(2);
        assert_eq!(jitter(wait, 0), Duration::from_secs(1));
        assert_eq!(jitter(wait, u32::MAX), wait);
    }

    #[test]
    fn codes_mean_what_they_say() {
        assert_eq!(meaning(503, "RequestLimitExceeded"), Meaning::Throttled);
        assert_eq!(meaning(400, "Throttling"), Meaning::Throttled);
        assert_eq!(meaning(500, "InternalError"), Meaning::Failed);
        assert_eq!(meaning(502, ""), Meaning::Failed);
        assert!(matches!(meaning(401, "AuthFailure"), Meaning::Credentials(_)));
        assert_eq!(meaning(403, "UnauthorizedOperation"), Meaning::Forbidden);
        assert_eq!(meaning(400, "InvalidParameterValue"), Meaning::Refused(""));
    }
}
