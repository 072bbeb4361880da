//! Who calls, and the signature under what is answered. [CLI-1]

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use super::failure::Failure;
use super::institution::Institution;
use crate::client::{Caller, CallerError, Speaker};
use crate::types::OwnerId;

/// Field with the institution that answers.
pub(super) const INSTITUTION: HeaderName = HeaderName::from_static("mdsm-institution");
/// Field with its signature.
pub(super) const SIGNATURE: HeaderName = HeaderName::from_static("mdsm-signature");

/// Whose call it is, if it is signed. A signature that does not hold is an error, whatever is asked.
//= harness/spec/clients.md#cli-1-full-client
//# CLI-1.5 (ours): A full client MUST answer a question about the records of an owner only to a call
//# signed, at most 60,000 milliseconds away from its clock, by the owner or by a reader to whom a grant
//# that holds opens what is answered.
pub(super) fn caller(
    institution: &impl Institution,
    method: &Method,
    line: &str,
    fields: &HeaderMap,
) -> Result<Option<OwnerId>, Failure> {
    let mut shown = fields.get_all(header::AUTHORIZATION).iter();
    let Some(text) = shown.next() else { return Ok(None) };
    if shown.next().is_some() {
        let why = "there is more than one".to_owned();
        return Err(Failure::Request { at: "authorization", why });
    }
    let caller: Caller = text.to_str().map_err(|_| CallerError::Form)?.parse()?;
    let (chain, now) = (institution.chain(), institution.now());
    Ok(Some(caller.check(&chain, method.as_str(), line, now)?))
}

/// An answer with the institution's signature.
//= harness/spec/clients.md#cli-1-full-client
//# CLI-1.6 (ours): An institution MUST sign each answer that it gives, together with the question.
pub(super) fn signed(
    institution: &impl Institution,
    line: &str,
    status: StatusCode,
    body: Vec<u8>,
) -> Response {
    let message = Speaker::message(&institution.chain(), line, &body);
    let signature = institution.sign(&message).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    fields.insert(INSTITUTION, institution.me().get().into());
    // Hex digits are always a value; without them the answer would be nobody's, and is refused as that.
    if let Ok(signature) = HeaderValue::from_str(&signature) {
        fields.insert(SIGNATURE, signature);
    }
    response
}
