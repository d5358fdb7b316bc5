//! Asking a cloud: one request of the EC2 query interface, signed, sent, and tried again where that is right.
//!
//! What wants to be asked less often, or failed, is asked again after a while, longer each time, a bounded number of times;
//! a request that makes something is asked again only where it is sure that nothing was made. A stop takes effect at once,
//! also while an answer is waited for.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::answer::{LARGEST, refusal};
use super::attend::{Again, attended, pause};
use super::cloud::Cloud;
use super::credentials::Credentials;
use super::endpoint::Place;
use super::fault::{Fault, Meaning, Trouble, jitter, meaning, next_try};
use super::sign::{self, Scope};
use crate::progress::Cancel;
use crate::snapshot::Result;

const VERSION: &str = "2016-11-15";
const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(8);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// Lent credentials are asked for anew so many seconds before they end.
const EARLY: i64 = 120;

/// Asks one region of a cloud.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub cloud: Arc<Cloud>,
    pub region: String,
    agent: Arc<OnceLock<ureq::Agent>>,
    /// Those used last, with all regions.
    held: Arc<Mutex<Option<Credentials>>>,
}

/// What became of one try.
enum Outcome {
    Done(String),
    /// The credentials have ended.
    Ended(Fault),
    Again(Trouble, Fault),
}

impl Client {
    pub fn new(cloud: Cloud) -> Client {
        Client {
            region: cloud.region.clone(),
            cloud: Arc::new(cloud),
            agent: Arc::default(),
            held: Arc::default(),
        }
    }

    /// The same cloud in another region.
    pub fn of_region(&self, region: &str) -> Client {
        Client {
            region: region.to_owned(),
            ..self.clone()
        }
    }

    /// The cloud for people.
    pub fn who(&self) -> String {
        format!("{} ({})", self.cloud.name, self.region)
    }

    /// What a request's answer cannot be read for.
    pub fn puzzled(&self, action: &'static str) -> impl Fn(String) -> crate::snapshot::Error {
        let cloud = self.who();
        move |why| {
            Fault::Answer {
                cloud: cloud.clone(),
                action,
                why,
            }
            .into()
        }
    }

    /// Asks for an action, until there is an answer that stands; the answer's text.
    pub fn call(&self, action: &'static str, form: &[(&str, &str)], again: Again, cancel: &Cancel) -> Result<String> {
        let mut all = vec![("Action", action), ("Version", VERSION)];
        all.extend_from_slice(form);
        let body = sign::form(&all);
        let (mut tries, mut renewed) = (0, false);
        loop {
            cancel.check()?;
            tries += 1;
            let (trouble, fault) = match self.try_once(action, &body, again, cancel)? {
                Outcome::Done(answer) => return Ok(answer),
                Outcome::Ended(fault) if renewed => return Err(fault.into()),
                Outcome::Ended(_) => {
                    renewed = true;
                    continue;
                }
                Outcome::Again(trouble, fault) => (trouble, fault),
            };
            let may = trouble.is_clear() || again == Again::Safe;
            let Some(longest) = next_try(trouble, tries).filter(|_| may) else {
                return Err(match fault {
                    Fault::Throttled {
                        cloud, action, said, ..
                    } => Fault::Throttled {
                        cloud,
                        action,
                        said,
                        tries,
                    },
                    other => other,
                }
                .into());
            };
            tracing::debug!("{action} is tried again: {fault}");
            let random = getrandom::u32().unwrap_or(u32::MAX / 2);
            pause(jitter(longest, random), cancel)?;
        }
    }

    /// A query by which another region may do an action in this one, as an address.
    pub fn presigned(&self, action: &'static str, form: &[(&str, &str)]) -> Result<String> {
        let place = self.place()?;
        let credentials = self.credentials()?;
        let mut all = vec![("Action", action), ("Version", VERSION)];
        all.extend_from_slice(form);
        let stamp = sign::stamp((self.cloud.clock)());
        let at = (place.path.as_str(), place.host.as_str());
        let query = sign::presigned(&all, at, (&sign::no_body(), 3600), &self.scope(&stamp), &credentials);
        Ok(format!("{}?{query}", place.url()))
    }

    fn scope<'a>(&'a self, stamp: &'a str) -> Scope<'a> {
        Scope {
            region: &self.region,
            service: "ec2",
            stamp,
        }
    }

    fn place(&self) -> Result<Place> {
        let cloud = self.who();
        Ok(self
            .cloud
            .endpoint
            .place(&self.region)
            .map_err(|why| Fault::Setting { cloud, why })?)
    }

    /// Those at hand while they hold, else new ones.
    fn credentials(&self) -> Result<Credentials> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.cloud.clock)().seconds;
        if let Some(good) = held
            .as_ref()
            .filter(|one| one.ends.is_none_or(|ends| ends - EARLY > now))
        {
            return Ok(good.clone());
        }
        let got = (self.cloud.credentials)().and_then(|one| one.check().map(|()| one));
        let cloud = self.who();
        let got = got.map_err(|why| Fault::NoCredentials { cloud, why })?;
        *held = Some(got.clone());
        Ok(got)
    }

    fn try_once(&self, action: &'static str, body: &str, again: Again, cancel: &Cancel) -> Result<Outcome> {
        let place = self.place()?;
        let credentials = self.credentials()?;
        let stamp = sign::stamp((self.cloud.clock)());
        let mut headers = vec![
            ("content-type", CONTENT_TYPE),
            ("host", place.host.as_str()),
            ("x-amz-date", stamp.as_str()),
        ];
        if let Some(token) = &credentials.token {
            headers.push(("x-amz-security-token", token));
        }
        let request = sign::Request {
            method: "POST",
            path: &place.path,
            query: "",
            headers: &headers,
            body: body.as_bytes(),
        };
        let authorization = sign::authorization(&request, &self.scope(&stamp), &credentials);
        let mut post = self
            .agent(place.secure)?
            .post(place.url())
            .header("authorization", authorization);
        for (name, value) in &headers {
            post = post.header(*name, *value);
        }
        let body = body.to_owned();
        let send = move || {
            let mut answer = post.send(body)?;
            let text = answer.body_mut().with_config().limit(LARGEST).read_to_vec()?;
            Ok((answer.status().as_u16(), text))
        };
        let (cloud, key) = (self.who(), credentials.key.clone());
        let (status, text) = match attended(send, again, cancel)? {
            Ok(answer) => answer,
            Err(error) => return self.lost(action, error),
        };
        let text = match String::from_utf8(text) {
            Ok(text) => text,
            Err(_) => return Err(self.puzzled(action)("it is not UTF-8".into())),
        };
        if status == 200 {
            return Ok(Outcome::Done(text));
        }
        let (code, message) = refusal(&text);
        let said = match (code.as_str(), message.as_str()) {
            ("", _) => format!("it answered with HTTP status {status}"),
            (code, "") => code.to_owned(),
            (code, message) => format!("{} ({code})", message.trim_end_matches('.')),
        };
        Ok(match meaning(status, &code) {
            Meaning::Throttled => Outcome::Again(
                Trouble::Throttled,
                Fault::Throttled {
                    cloud,
                    action,
                    said,
                    tries: 0,
                },
            ),
            Meaning::Failed => Outcome::Again(Trouble::Failed, Fault::Failed { cloud, action, said }),
            Meaning::Ended => {
                self.forget();
                let help = "they were lent for a while, which is over: get new ones";
                Outcome::Ended(Fault::Credentials { cloud, key, said, help })
            }
            Meaning::Credentials(help) => {
                self.forget();
                return Err(Fault::Credentials { cloud, key, said, help }.into());
            }
            Meaning::Forbidden => {
                return Err(Fault::Forbidden {
                    cloud,
                    key,
                    action,
                    said,
                }
                .into());
            }
            Meaning::Refused(help) => {
                return Err(Fault::Refused {
                    cloud,
                    action,
                    code,
                    said,
                    help,
                }
                .into());
            }
        })
    }

    /// The next request asks for credentials anew.
    fn forget(&self) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What it means that no answer came.
    fn lost(&self, action: &'static str, error: ureq::Error) -> Result<Outcome> {
        use ureq::Timeout::{Connect, Resolve};
        let cloud = self.who();
        let unreachable = |why: String| Fault::Unreachable {
            cloud: cloud.clone(),
            why,
        };
        let io = |error: &std::io::Error| match error.kind() {
            ErrorKind::ConnectionRefused => Some("the connection is refused".to_owned()),
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Some(error.to_string()),
            _ => None,
        };
        let why = match &error {
            ureq::Error::HostNotFound => Some("its name is not known".to_owned()),
            // Each try takes long: somebody is waiting.
            ureq::Error::Timeout(Connect | Resolve) => return Err(unreachable("it does not answer".into()).into()),
            ureq::Error::ConnectionFailed => Some("there is no connection".to_owned()),
            // Trying again does not help against a certificate that is not trusted.
            ureq::Error::Io(error) if error.kind() == ErrorKind::InvalidData => {
                return Err(unreachable(error.to_string()).into());
            }
            ureq::Error::Io(error) => io(error),
            ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::BadUri(_) => {
                return Err(unreachable(error.to_string()).into());
            }
            ureq::Error::BodyExceedsLimit(most) => {
                return Err(self.puzzled(action)(format!("it is longer than {most} bytes")));
            }
            _ => None,
        };
        Ok(match why {
            Some(why) => Outcome::Again(Trouble::Unreachable, unreachable(why)),
            None => {
                let trouble = match error {
                    ureq::Error::Timeout(_) => Trouble::Silent,
                    _ => Trouble::Failed,
                };
                let said = format!("no whole answer came: {error}");
                Outcome::Again(trouble, Fault::Failed { cloud, action, said })
            }
        })
    }

    /// What keeps the connections; the system's certificates are read when they are needed first.
    fn agent(&self, secure: bool) -> Result<&ureq::Agent> {
        if let Some(agent) = self.agent.get() {
            return Ok(agent);
        }
        let roots = match secure {
            false => Vec::new(),
            true => rustls_native_certs::load_native_certs().certs,
        };
        if secure && roots.is_empty() {
            let why = "this system has no certificates to know it by: install ca-certificates".into();
            return Err(Fault::Setting { cloud: self.who(), why }.into());
        }
        let roots = roots.iter().map(|root| Certificate::from_der(root).to_owned());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::from(roots))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        // What is signed is for one address: redirections are not followed.
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("coffer/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(ANSWER))
            .tls_config(tls)
            .build()
            .new_agent();
        Ok(self.agent.get_or_init(|| agent))
    }
}
