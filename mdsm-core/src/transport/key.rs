//! The key of an institution's links.

use curve25519_dalek::montgomery::MontgomeryPoint;
use zeroize::Zeroizing;

use crate::types::LinkPublic;

/// The secret key of a node's links. Wiped on drop, never printed.
#[derive(Clone)]
pub struct LinkSecret(Zeroizing<[u8; 32]>);

impl LinkSecret {
    /// Wraps 32 uniformly random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key by which others know this node (RFC 7748, section 6.1).
    #[must_use]
    pub fn public(&self) -> LinkPublic {
        LinkPublic::new(MontgomeryPoint::mul_base_clamped(*self.0).to_bytes())
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkSecret(..)")
    }
}

/// Whether a key shares the same secret, zero, with everybody: whoever names it as its own passes
/// the handshake without any secret.
pub(super) fn is_small_order(key: &LinkPublic) -> bool {
    MontgomeryPoint(*key.as_bytes()).mul_clamped([0; 32]).to_bytes() == [0; 32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_keys_are_those_of_rfc_7748_and_secrets_are_not_printed() {
        // RFC 7748, section 6.1, Alice and Bob.
        for (secret, public) in [
            (
                "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
                "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
            ),
            (
                "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
                "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
            ),
        ] {
            let secret: crate::types::Digest = secret.parse().unwrap();
            let secret = LinkSecret::new(*secret.as_bytes());
            assert_eq!(secret.public().to_string(), public);
        }
        let secret = LinkSecret::new([0x77; 32]);
        assert_eq!(format!("{secret:?}"), "LinkSecret(..)");
    }

    #[test]
    fn keys_of_small_order_are_found() {
        let one = {
            let mut bytes = [0; 32];
            bytes[0] = 1;
            bytes
        };
        let eight: LinkPublic =
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800".parse().unwrap();
        for key in [LinkPublic::new([0; 32]), LinkPublic::new(one), eight] {
            assert!(is_small_order(&key), "{key}");
        }
        assert!(!is_small_order(&LinkSecret::new([7; 32]).public()));
    }
}
