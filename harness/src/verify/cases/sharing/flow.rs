//! One file from its owner through a proxy to its reader. The harness stands between the three: it
//! carries what they say, and judges it.

use mdsm_core::crypto::Identified as _;
use mdsm_core::crypto::seal::sealed_bytes;
use mdsm_core::crypto::sha256;
use mdsm_core::reencryption::{
    Approval, Capsule, Delivery, Parcel, ParcelPublicKey, PublicKey, Purpose, Set, Variant,
};
use mdsm_core::types::{Digest, OwnerId};
use rand_chacha::rand_core::Rng as _;

use super::super::{Fault, hold, text};
use crate::party::{AskError, File, Process, Refusal, Reply, Request, Role, Sealed};
use crate::seed::Seed;

/// The set of the processes' keys: the default of the spec.
pub(super) const SET: Set = Set::S704;

/// Somebody who answers requests.
pub(super) trait Talk {
    fn name(&self) -> &str;
    fn ask(&mut self, request: Request) -> Result<Reply, Fault>;
}

impl Talk for Process {
    fn name(&self) -> &str {
        Process::name(self)
    }

    fn ask(&mut self, request: Request) -> Result<Reply, Fault> {
        Process::ask(self, request).map_err(Fault::from)
    }
}

impl From<AskError> for Fault {
    fn from(error: AskError) -> Self {
        match error {
            // Nobody answered wrongly where nobody was asked.
            AskError::Start { .. } | AskError::Stopped { .. } => Self::Undecided(error.to_string()),
            _ => Self::Broken(error.to_string()),
        }
    }
}

/// How parties are started: by name and role.
pub(super) type Start<'a> = &'a dyn Fn(&str, Role) -> Result<Box<dyn Talk>, Fault>;

/// Where a file is shared.
#[derive(Clone, Copy)]
pub(super) struct Stage<'a> {
    pub(super) start: Start<'a>,
    pub(super) seed: Seed,
    /// Id of the case.
    pub(super) case: &'a str,
}

/// A party and its public keys.
pub(super) struct Someone {
    talk: Box<dyn Talk>,
    pub(super) signer: OwnerId,
    lattice: PublicKey,
    parcels: ParcelPublicKey,
}

/// Everything that was said aloud until the reader could read.
pub(super) struct Shared {
    pub(super) grant: Digest,
    pub(super) capsule: Capsule,
    pub(super) approval: Approval,
    pub(super) sealed: Sealed,
    pub(super) offer: Parcel,
    pub(super) rekey: Parcel,
    pub(super) delivery: Delivery,
}

/// Starts a party; its secrets follow from the seed of the run, the case and its name. No two cases
/// have a secret in common, for else two files of a run would be sealed by one content key.
pub(super) fn begin(stage: Stage<'_>, name: &str, role: Role) -> Result<Someone, Fault> {
    let mut talk = (stage.start)(name, role)?;
    let mut secret = [0; 32];
    let label = format!("verify/{}/{name}", stage.case);
    stage.seed.stream(&label).fill_bytes(&mut secret);
    let start = Request::Start { seed: Digest::new(secret), set: SET };
    match talk.ask(start)? {
        Reply::Keys { signer, lattice, parcels } => {
            hold(lattice.set() == SET, || format!("{name}: a key of set {:?}", lattice.set()))?;
            Ok(Someone { talk, signer, lattice, parcels })
        }
        other => Err(unexpected(name, "Start", &other)),
    }
}

impl Someone {
    pub(super) fn name(&self) -> &str {
        self.talk.name()
    }

    pub(super) fn ask(&mut self, request: Request) -> Result<Reply, Fault> {
        self.talk.ask(request)
    }

    pub(super) fn key(&self) -> PublicKey {
        self.lattice.clone()
    }

    /// Seals a file; what comes back is looked at before it goes on.
    pub(super) fn seal(&mut self, file: &[u8]) -> Result<(Capsule, Approval, Sealed), Fault> {
        let request = Request::Seal { file: File::new(file).map_err(text)? };
        let (capsule, approval, sealed) = match self.ask(request)? {
            Reply::Sealed { capsule, approval, sealed } => (capsule, approval, sealed),
            other => return Err(unexpected(self.name(), "Seal", &other)),
        };
        let key = self.lattice.digest();
        hold([capsule.owner, capsule.holder] == [key; 2] && capsule.hop() == 0, || {
            format!("{}: sealed under another key", self.name())
        })?;
        let admission = approval.check(&self.signer, key).map_err(text)?;
        admission.admit(capsule.clone()).map_err(text)?;
        let bytes = u64::try_from(file.len()).expect("usize fits in u64");
        let expected = usize::try_from(sealed_bytes(bytes).map_err(text)?);
        hold(expected == Ok(sealed.len()), || {
            format!("{}: a sealed file of {} bytes", self.name(), sealed.len())
        })?;
        let start = &file[..file.len().min(64)];
        let shows = start.len() >= 16 && sealed.windows(start.len()).any(|run| run == start);
        hold(!shows, || format!("{}: the sealed file shows its content", self.name()))?;
        Ok((capsule, approval, sealed))
    }

    /// Asks for an offer to an owner.
    pub(super) fn offer(&mut self, owner: &Self, variant: Variant) -> Result<Parcel, Fault> {
        self.offer_for(owner, owner, variant)
    }

    /// Asks for an offer that is made for one owner and sent to another.
    pub(super) fn offer_for(
        &mut self,
        named: &Self,
        owner: &Self,
        variant: Variant,
    ) -> Result<Parcel, Fault> {
        let (owner_key, owner_parcels) = (named.lattice.digest(), owner.parcels.clone());
        let reply = self.ask(Request::Offer { owner_key, owner_parcels, variant })?;
        self.parcel("Offer", reply, Purpose::Offer, owner)
    }

    /// Lets the owner accept an offer, for a proxy.
    pub(super) fn accept(
        &mut self,
        offer: &Parcel,
        [reader, proxy]: [&Self; 2],
        grant: Digest,
    ) -> Result<Reply, Fault> {
        self.ask(Request::Accept {
            parcel: offer.clone(),
            reader: reader.signer,
            reader_key: reader.lattice.digest(),
            proxy_parcels: proxy.parcels.clone(),
            grant,
        })
    }

    /// Hands a re-encryption key to the proxy.
    pub(super) fn keep(
        &mut self,
        rekey: &Parcel,
        [owner, reader]: [&Self; 2],
    ) -> Result<Reply, Fault> {
        self.ask(Request::Keep {
            parcel: rekey.clone(),
            owner: owner.signer,
            owner_key: owner.lattice.digest(),
            reader_key: reader.key(),
        })
    }

    /// Asks the proxy for a delivery.
    pub(super) fn deliver(
        &mut self,
        (grant, owner): (Digest, OwnerId),
        (capsule, approval): (&Capsule, &Approval),
    ) -> Result<Reply, Fault> {
        let (capsule, approval) = (capsule.clone(), approval.clone());
        self.ask(Request::Deliver { grant, owner, capsule, approval })
    }

    /// Lets the reader open what was delivered.
    pub(super) fn open(
        &mut self,
        shared: &Shared,
        [owner, proxy]: [&Self; 2],
    ) -> Result<Reply, Fault> {
        self.ask(Request::Open {
            grant: shared.grant,
            owner_key: owner.key(),
            owner: owner.signer,
            approval: shared.approval.clone(),
            capsule: shared.capsule.clone(),
            proxy: proxy.signer,
            delivery: shared.delivery.clone(),
            sealed: shared.sealed.clone(),
        })
    }

    /// Lets anybody open a file of an owner with whatever keys it has.
    pub(super) fn attempt(
        &mut self,
        owner_key: PublicKey,
        [capsule, received]: [&Capsule; 2],
        sealed: &Sealed,
    ) -> Result<Reply, Fault> {
        let (capsule, received) = (capsule.clone(), received.clone());
        self.ask(Request::Try { owner_key, capsule, received, sealed: sealed.clone() })
    }

    /// The parcel in a reply, if it is addressed as it has to be.
    pub(super) fn parcel(
        &self,
        asked: &'static str,
        reply: Reply,
        purpose: Purpose,
        to: &Self,
    ) -> Result<Parcel, Fault> {
        let Reply::Parcel { parcel } = reply else {
            return Err(unexpected(self.name(), asked, &reply));
        };
        let addressed = (parcel.purpose, parcel.sender, parcel.receiver);
        hold(addressed == (purpose, self.signer, to.parcels.digest()), || {
            format!("{}: a parcel for somebody or something else", self.name())
        })?;
        Ok(parcel)
    }
}

/// The whole way of a file to its reader, up to the delivery.
pub(super) fn share(
    [owner, proxy, reader]: [&mut Someone; 3],
    file: &[u8],
    variant: Variant,
) -> Result<Shared, Fault> {
    let (capsule, approval, sealed) = owner.seal(file)?;
    let offer = reader.offer(owner, variant)?;
    // A grant will be a booked record; here its digest is that of the parties and the capsule.
    let names = [owner.signer, proxy.signer, reader.signer].map(|signer| *signer.as_bytes());
    let grant = sha256(&[&names.concat()[..], capsule.id().as_bytes()].concat());
    let reply = owner.accept(&offer, [reader, proxy], grant)?;
    let rekey = owner.parcel("Accept", reply, Purpose::ReKey, proxy)?;
    done(proxy.name().to_owned(), "Keep", proxy.keep(&rekey, [owner, reader])?)?;
    let delivery = delivered(proxy, (grant, owner.signer), (&capsule, &approval))?;
    let admission = approval.check(&owner.signer, owner.lattice.digest()).map_err(text)?;
    let before = admission.admit(capsule.clone()).map_err(text)?;
    // A pseudonym is known to its reader alone, who compares it.
    let name = match variant {
        Variant::Public => reader.lattice.digest(),
        Variant::KeyPrivate => delivery.capsule.holder,
    };
    delivery
        .check(&proxy.signer, [grant, name], &before)
        .map_err(|error| format!("{}: a delivery that does not hold: {error}", proxy.name()))?;
    let is_readers = delivery.capsule.holder == reader.lattice.digest();
    hold(is_readers == (variant == Variant::Public), || {
        format!("{}: a delivery to another reader", proxy.name())
    })?;
    Ok(Shared { grant, capsule, approval, sealed, offer, rekey, delivery })
}

/// What the proxy delivers.
pub(super) fn delivered(
    proxy: &mut Someone,
    grant: (Digest, OwnerId),
    approved: (&Capsule, &Approval),
) -> Result<Delivery, Fault> {
    match proxy.deliver(grant, approved)? {
        Reply::Delivery { delivery } => Ok(delivery),
        other => Err(unexpected(proxy.name(), "Deliver", &other)),
    }
}

/// Holds an answer to the file that was to be read.
pub(super) fn read(name: &str, reply: Reply, file: &[u8]) -> Result<(), Fault> {
    let Reply::Opened { digest, bytes } = reply else {
        return Err(unexpected(name, "to open the file", &reply));
    };
    let same = digest == sha256(file) && usize::try_from(bytes) == Ok(file.len());
    hold(same, || {
        format!("{name}: read {bytes} bytes with the digest {digest}, which is not the file")
    })
}

/// Holds an answer to a refusal.
pub(super) fn refuses(name: &str, what: &str, reply: Reply, wanted: Refusal) -> Result<(), Fault> {
    match reply {
        Reply::Refused { why, .. } if why == wanted => Ok(()),
        other => {
            Err(unexpected(name, &format!("{what}, which is to be refused as {wanted:?},"), &other))
        }
    }
}

/// Holds an answer to `Done`.
pub(super) fn done(name: String, asked: &str, reply: Reply) -> Result<(), Fault> {
    match reply {
        Reply::Done => Ok(()),
        other => Err(unexpected(&name, asked, &other)),
    }
}

/// An answer that is none to what was asked.
fn unexpected(name: &str, asked: &str, reply: &Reply) -> Fault {
    let said = match reply {
        Reply::Refused { why, words } => format!("Refused as {why:?}: {}", words.as_str()),
        other => other.name().to_owned(),
    };
    Fault::Broken(format!("{name}: answered {asked} with {said}"))
}
