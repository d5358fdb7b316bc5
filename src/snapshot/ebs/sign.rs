//! Requests signed by AWS Signature Version 4: the secret never travels, and what was signed cannot be changed on the way.
//!
//! Facts: AWS's "Create a signed AWS API request", and the signatures that it publishes for testing.

use std::fmt::Write as _;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::credentials::Credentials;
use crate::vault::Time;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What is signed.
pub(super) struct Request<'a> {
    /// `POST`.
    pub method: &'a str,
    /// The path, encoded; `/` when empty.
    pub path: &'a str,
    /// The query, encoded and sorted; may be empty.
    pub query: &'a str,
    /// Every header that is signed: names in lower case, sorted.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

/// Where a signature holds.
pub(super) struct Scope<'a> {
    /// `eu-central-1`.
    pub region: &'a str,
    /// `ec2`.
    pub service: &'a str,
    /// The moment, as [`stamp`] writes it.
    pub stamp: &'a str,
}

/// A moment as signatures have it: `20150830T123600Z`.
pub(super) fn stamp(time: Time) -> String {
    let text = time.utc().to_string();
    let plain = text.split(['.', 'Z']).next().unwrap_or_default();
    let mut stamp: String = plain.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    stamp.push('Z');
    stamp
}

/// The value of the header `authorization`.
pub(super) fn authorization(request: &Request, scope: &Scope, credentials: &Credentials) -> String {
    let signature = signature(request, &digest(request.body), scope, credentials);
    format!(
        "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={signature}",
        credentials.key,
        scope.place(),
        names(request)
    )
}

/// A query that is signed itself, good for some seconds: what another region is shown to act in this one's name. `query`
/// holds its parts, not encoded; only the host is signed with it.
pub(super) fn presigned(
    query: &[(&str, &str)],
    (path, host): (&str, &str),
    (body_digest, seconds): (&str, u32),
    scope: &Scope,
    credentials: &Credentials,
) -> String {
    let credential = format!("{}/{}", credentials.key, scope.place());
    let seconds = seconds.to_string();
    let mut all = query.to_vec();
    all.extend([
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", &credential),
        ("X-Amz-Date", scope.stamp),
        ("X-Amz-Expires", &seconds),
        ("X-Amz-SignedHeaders", "host"),
    ]);
    if let Some(token) = &credentials.token {
        all.push(("X-Amz-Security-Token", token));
    }
    all.sort_unstable();
    let query = joined(&all, "%20");
    let request = Request {
        method: "GET",
        path,
        query: &query,
        headers: &[("host", host)],
        body: b"",
    };
    let signature = signature(&request, body_digest, scope, credentials);
    format!("{query}&X-Amz-Signature={signature}")
}

/// The digest of no body.
pub(super) fn no_body() -> String {
    digest(b"")
}

impl Scope<'_> {
    fn date(&self) -> &str {
        self.stamp.get(..8).unwrap_or(self.stamp)
    }

    fn place(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date(), self.region, self.service)
    }
}

fn names(request: &Request) -> String {
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
    names.join(";")
}

fn signature(request: &Request, body_digest: &str, scope: &Scope, credentials: &Credentials) -> String {
    let mut canonical = format!("{}\n{}\n{}\n", request.method, or_root(request.path), request.query);
    for (name, value) in request.headers {
        // Runs of spaces count as one.
        let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(canonical, "{name}:{value}");
    }
    let _ = write!(canonical, "\n{}\n{body_digest}", names(request));
    let text = format!(
        "{ALGORITHM}\n{}\n{}\n{}",
        scope.stamp,
        scope.place(),
        digest(canonical.as_bytes())
    );
    let first = Zeroizing::new(format!("AWS4{}", credentials.secret.as_str()));
    let mut key = mac(first.as_bytes(), scope.date().as_bytes());
    for part in [scope.region, scope.service, "aws4_request"] {
        key = mac(key.as_slice(), part.as_bytes());
    }
    HEXLOWER.encode(mac(key.as_slice(), text.as_bytes()).as_slice())
}

fn or_root(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn mac(key: &[u8], text: &[u8]) -> Zeroizing<[u8; 32]> {
    // Keys of any length are taken: the other branch is never gone, and would make a signature that is refused.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Zeroizing::default();
    };
    mac.update(text);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// Names and values as they stand in a form.
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    joined(pairs, "+")
}

/// Names and values: all but letters, digits and `-._~` is told by its bytes. A space is another thing in a form than in a
/// query, which matters to those who put a form together again to check its signature.
fn joined(pairs: &[(&str, &str)], space: &str) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        encode(name, space, &mut out);
        out.push('=');
        encode(value, space, &mut out);
    }
    out
}

fn encode(text: &str, space: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b' ' => out.push_str(space),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AWS's test suite of signatures: its credentials, scope and date.
    fn signature(request: &Request) -> String {
        let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None);
        let scope = Scope {
            region: "us-east-1",
            service: "service",
            stamp: "20150830T123600Z",
        };
        let all = authorization(request, &scope, &credentials);
        all.rsplit_once('=').unwrap().1.to_owned()
    }

    const HOST: (&str, &str) = ("host", "example.amazonaws.com");
    const DATE: (&str, &str) = ("x-amz-date", "20150830T123600Z");

    #[test]
    fn published_signatures_come_out() {
        let mut request = Request {
            method: "GET",
            path: "",
            query: "",
            headers: &[HOST, DATE],
            body: b"",
        };
        // get-vanilla
        let wanted = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert_eq!(signature(&request), wanted);
        // get-vanilla-query-order-key-case
        request.query = "Param1=value1&Param2=value2";
        let wanted = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
        assert_eq!(signature(&request), wanted);
        // post-vanilla
        (request.method, request.query) = ("POST", "");
        let wanted = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b";
        assert_eq!(signature(&request), wanted);
        // post-x-www-form-urlencoded
        let headers = [("content-type", "application/x-www-form-urlencoded"), HOST, DATE];
        (request.headers, request.body) = (&headers, b"Param1=value1");
        let wanted = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a";
        assert_eq!(signature(&request), wanted);
    }

    #[test]
    fn moments_and_texts_are_written_as_they_are_signed() {
        let time = Time::parse("2015-08-30T14:36:00.25+02:00").unwrap();
        assert_eq!(stamp(time), "20150830T123600Z");
        let pairs = [("a b", "/ä~"), ("c", "+&=")];
        assert_eq!(form(&pairs), "a+b=%2F%C3%A4~&c=%2B%26%3D");
        assert_eq!(joined(&pairs, "%20"), "a%20b=%2F%C3%A4~&c=%2B%26%3D");
    }

    #[test]
    fn a_query_is_signed_as_in_the_published_example() {
        // "Authenticating requests: using query parameters" of S3, the same scheme with a body that is not signed.
        let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None);
        let scope = Scope {
            region: "us-east-1",
            service: "s3",
            stamp: "20130524T000000Z",
        };
        let place = ("/test.txt", "examplebucket.s3.amazonaws.com");
        let query = presigned(&[], place, ("UNSIGNED-PAYLOAD", 86_400), &scope, &credentials);
        let wanted = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert!(query.ends_with(&format!("&X-Amz-Signature={wanted}")), "{query}");
    }
}
