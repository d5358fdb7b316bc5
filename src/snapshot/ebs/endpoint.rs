//! Where a cloud is asked.

use std::net::IpAddr;

/// Stands for the region in an endpoint.
const REGION: &str = "{region}";

/// Where a cloud is asked, for any of its regions: `https://ec2.{region}.example.org`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    text: String,
}

/// The same for one region, in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub secure: bool,
    /// Host, and port where one is given.
    pub host: String,
    pub path: String,
}

impl Place {
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}{}", self.host, self.path)
    }
}

impl Endpoint {
    /// Amazon's own.
    pub fn amazon(region: &str) -> Endpoint {
        let end = if region.starts_with("cn-") { ".cn" } else { "" };
        Endpoint {
            text: format!("https://ec2.{REGION}.amazonaws.com{end}"),
        }
    }

    /// Reads one. Without TLS only where nothing leaves the machine, or where the user says so.
    pub fn parse(text: &str, allow_http: bool) -> Result<Endpoint, String> {
        let endpoint = Endpoint {
            text: text.trim_end_matches('/').to_owned(),
        };
        let place = endpoint.split("region")?;
        match place.secure || allow_http || is_loopback(&place.host) {
            true => Ok(endpoint),
            false => Err(format!(
                "{text:?} is not encrypted: requests could be read and changed on the way; use https://, or say \
                 allow-http = true"
            )),
        }
    }

    /// Where a region is asked.
    pub(super) fn place(&self, region: &str) -> Result<Place, String> {
        self.split(region)
    }

    fn split(&self, region: &str) -> Result<Place, String> {
        let text = self.text.replace(REGION, region);
        let wrong = |why: &str| {
            Err(format!(
                "{:?} is no endpoint: {why}, as in https://ec2.example.org",
                self.text
            ))
        };
        let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return wrong("it starts with https://"),
        };
        let (host, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        let is_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
        if host.is_empty() || !host.chars().all(is_host) || !path.chars().all(is_path) {
            return wrong("it is a scheme, a host and perhaps a port and a path");
        }
        Ok(Place {
            secure,
            host: host.to_owned(),
            path: path.to_owned(),
        })
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether this may be the name of a region or of a zone: it becomes part of a host's name.
pub fn is_place_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (2..=40).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_for_each_region() {
        let place = |text: &str, region: &str| Endpoint::parse(text, false).and_then(|endpoint| endpoint.place(region));
        let own = place("https://ec2.{region}.example.org:8443/v1/", "eu-1").unwrap();
        assert_eq!(own.url(), "https://ec2.eu-1.example.org:8443/v1");
        assert_eq!(
            Endpoint::amazon("eu-central-1").place("eu-central-1").unwrap().host,
            "ec2.eu-central-1.amazonaws.com"
        );
        assert_eq!(
            Endpoint::amazon("cn-north-1").place("cn-north-1").unwrap().host,
            "ec2.cn-north-1.amazonaws.com.cn"
        );
        for local in ["http://127.0.0.1:5000", "http://localhost", "http://[::1]:9"] {
            assert_eq!(place(local, "x").unwrap().path, "/");
        }
        assert!(place("http://ec2.example.org", "x").unwrap_err().contains("allow-http"));
        assert!(
            place("http://127.0.0.1.example.org", "x")
                .unwrap_err()
                .contains("allow-http")
        );
        assert!(Endpoint::parse("http://ec2.example.org", true).is_ok());
        for wrong in [
            "ec2.example.org",
            "https://",
            "https://a@b",
            "https://a b",
            "ftp://a",
            "https://a/?q",
        ] {
            assert!(place(wrong, "x").unwrap_err().contains("is no endpoint"), "{wrong}");
        }
    }

    #[test]
    fn names_of_places_are_plain() {
        assert!(is_place_name("eu-central-1") && is_place_name("eu-west-1a"));
        for wrong in ["", "a", "eu central", "EU", "evil.org/", "-a"] {
            assert!(!is_place_name(wrong), "{wrong}");
        }
    }
}
