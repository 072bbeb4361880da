//! Proxies of institutions, honest and not. [PRE-8]

use mdsm_core::environment::Secret;
use mdsm_core::reencryption::Capsule;
use mdsm_core::service::sharing::Proxy;

/// How the proxy of an institution works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyKind {
    /// As it should.
    #[default]
    Honest,
    /// It changes what it has re-encrypted, and signs that.
    Wrong,
}

impl ProxyKind {
    pub(super) fn of(self, secret: &Secret) -> Proxy {
        match self {
            Self::Honest => Proxy::new(secret),
            Self::Wrong => Proxy::new(secret).turning(spoilt),
        }
    }
}

/// The same capsule with one bit of its last word changed, which no check without the reader's key can notice.
fn spoilt(capsule: Capsule) -> Capsule {
    let mut words = capsule.words().to_vec();
    let Some(last) = words.last_mut() else { return capsule };
    *last ^= 1 << 15;
    let names = [capsule.owner, capsule.holder];
    let changed = Capsule::new(capsule.set(), capsule.hop(), capsule.key_id, names, words);
    changed.unwrap_or(capsule)
}
