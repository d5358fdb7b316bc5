//! A cloud as it is handed in: where it is asked, and by whom.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::credentials::Credentials;
use super::endpoint::Endpoint;
use crate::vault::Time;

/// Where credentials come from: asked when they are needed, and again when they have ended.
pub type Source = Arc<dyn Fn() -> Result<Credentials, String> + Send + Sync>;

/// A cloud: where it is asked, and by whom.
#[derive(Clone)]
pub struct Cloud {
    /// Its name in the config.
    pub name: String,
    /// Its region: `eu-central-1`.
    pub region: String,
    /// Where it is asked.
    pub endpoint: Endpoint,
    /// How long a snapshot or a volume may take to be whole.
    pub wait: Duration,
    /// Where credentials come from.
    pub credentials: Source,
    /// Now.
    pub clock: Arc<dyn Fn() -> Time + Send + Sync>,
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cloud")
            .field("name", &self.name)
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
