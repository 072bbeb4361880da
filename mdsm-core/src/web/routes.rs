//! The table of what is answered, and the router that is made from it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};

use super::bounds::Bounds;
use super::failure::Failure;
use super::handlers;
use super::institution::Institution;
use super::page::{self, ASSETS};

/// The description of the interface.
pub const OPENAPI: &str = include_str!("openapi.json");

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// A question of `client`.
    Question,
    Requests,
    Records,
    Services,
    Objects,
    Headers,
    Metrics,
    Description,
}

/// Everything but the page.
pub(super) const ROUTES: &[(&str, Leads)] = &[
    ("/v1/owners/{owner}/records", Leads::Question),
    ("/v1/owners/{owner}/readers", Leads::Question),
    ("/v1/owners/{owner}/keys", Leads::Question),
    ("/v1/readers/{reader}/grants", Leads::Question),
    ("/v1/records/{id}", Leads::Question),
    ("/v1/records/{id}/receipt", Leads::Question),
    ("/v1/status", Leads::Question),
    ("/v1/roster", Leads::Question),
    ("/v1/requests", Leads::Requests),
    ("/v1/records", Leads::Records),
    ("/v1/services", Leads::Services),
    ("/v1/objects/{digest}", Leads::Objects),
    ("/v1/headers", Leads::Headers),
    ("/metrics", Leads::Metrics),
    ("/openapi.json", Leads::Description),
];

/// What the handlers share.
pub(super) struct Shared<I> {
    pub(super) institution: Arc<I>,
    pub(super) bounds: Bounds,
}

impl<I> Clone for Shared<I> {
    fn clone(&self) -> Self {
        Self { institution: self.institution.clone(), bounds: self.bounds }
    }
}

impl Leads {
    fn methods<I: Institution>(self) -> MethodRouter<Shared<I>> {
        match self {
            Self::Question => get(handlers::answer::<I>),
            Self::Requests => post(handlers::request::<I>),
            Self::Records => post(handlers::submit::<I>),
            Self::Services => post(handlers::report::<I>),
            Self::Objects => get(handlers::object::<I>).put(handlers::put_object::<I>),
            Self::Headers => get(handlers::headers::<I>),
            Self::Metrics => get(handlers::metrics::<I>),
            Self::Description => get(handlers::description),
        }
    }
}

/// Everything that an institution answers.
//= harness/spec/clients.md#cli-1-full-client
//# CLI-1.2 (paper): An institution MUST be able to offer an interface on its full client to others.
pub fn router<I: Institution>(institution: Arc<I>, bounds: Bounds) -> Router {
    let mut router = Router::new();
    for (path, leads) in ROUTES {
        router = router.route(path, leads.methods::<I>());
    }
    for asset in ASSETS {
        router = router.route(asset.path, get(async || page::show(asset)));
    }
    router
        .fallback(async || Failure::Path)
        .method_not_allowed_fallback(async |method: Method| Failure::Method {
            method: method.as_str().chars().take(32).collect(),
        })
        .layer(middleware::from_fn_with_state(bounds, guarded))
        .with_state(Shared { institution, bounds })
}

/// Bounds the time of a request, and says what a browser may do with the answer.
async fn guarded(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    let is_upload = request.method() == Method::PUT;
    let limit = if is_upload { bounds.upload_time } else { bounds.request_time };
    let answer = tokio::time::timeout(limit, next.run(request)).await;
    let mut response = answer.unwrap_or_else(|_| late(limit).into_response());
    page::guard(response.headers_mut());
    response
}

fn late(limit: Duration) -> Failure {
    Failure::Late { limit_ms: limit.as_millis().try_into().unwrap_or(u64::MAX) }
}
