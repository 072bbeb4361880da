//! Making, signing and submitting anchor transactions. [ANC-1] [ANC-3]

use bitcoin::hashes::Hash as _;
use bitcoin::{Amount, OutPoint};

use super::book::Made;
use super::watch::{Trouble, Watch};
use crate::anchoring::machine::{Bitcoin, FeeRate, Means, Refusal, Request, Sighting};
use crate::anchoring::{Funding, anchor_transaction};
use crate::bitcoin::RpcError;
use crate::ledger::AnchorOutput;
use crate::params::{ANCHOR_FINAL_KEPT, ANCHOR_OPEN_MAX};
use crate::types::{Digest, Epoch};

/// A fee that any coin which is held pays, to learn how long the transaction is.
const TRIAL_FEE: Amount = Amount::from_sat(1);

impl Watch {
    /// Answers a request; one that was answered gets the same answer again, one that Bitcoin did not
    /// answer gets none, and the machine repeats it.
    pub(super) async fn submit(&mut self, request: Request) -> Result<(), Trouble> {
        let (epoch, number) = (request.output.epoch, request.number);
        let known = self.answers.get(&epoch).filter(|(of, _)| *of == number);
        if let Some((_, answer)) = known.cloned() {
            return self.tell(answer).await;
        }
        let answer = match self.try_submit(&request).await? {
            Ok(txid) => Bitcoin::Accepted { epoch, number, txid },
            Err(refusal) => Bitcoin::Refused { epoch, number, refusal },
        };
        self.answers.insert(epoch, (number, answer.clone()));
        while self.answers.len() > ANCHOR_OPEN_MAX + ANCHOR_FINAL_KEPT {
            self.answers.pop_first();
        }
        self.tell(answer).await
    }

    async fn try_submit(&mut self, request: &Request) -> Result<Result<Digest, Refusal>, Trouble> {
        //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
        //# ANC-3.9 (ours): A producer MUST NOT submit a transaction for an epoch while its own view
        //# of Bitcoin shows an anchor of that epoch in a block.
        if !self.told.find(|seen| seen.output == request.output).is_empty() {
            return Ok(Err(Refusal::Other));
        }
        let made = match self.make(request) {
            Ok(made) => made,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.book.make(&made)?;
        let txid = made.sighting.txid;
        self.missed.remove(&txid);
        match self.rpc.submit(&made.transaction).await {
            Ok(_) => Ok(Ok(txid)),
            Err(RpcError::Refused { code, message, .. }) => {
                let refusal = refusal(code, &message);
                if let Some(refusal) = refusal {
                    let epoch = request.output.epoch;
                    tracing::info!(%epoch, code, message, ?refusal, "an anchor was refused");
                }
                Ok(refusal.map_or(Ok(txid), Err))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The transaction that is asked for.
    fn make(&self, request: &Request) -> Result<Made, Refusal> {
        let epoch = request.output.epoch;
        let made = |txid: &Digest| self.book.made(epoch, txid).cloned().ok_or(Refusal::Other);
        let coin = match &request.means {
            Means::Again(txid) => return made(txid),
            Means::Replace(txid) => made(txid)?.coin,
            Means::New => self.coin_for(epoch)?,
        };
        self.pay(&request.output, coin, request.rate)
    }

    /// The coin of an earlier transaction of the epoch for as long as no block spent it, else a free one.
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //# ANC-3.11 (ours): A further transaction of a submitter for an epoch MUST spend the coin of the
    //# one before it for as long as that one can be mined.
    fn coin_for(&self, epoch: Epoch) -> Result<(OutPoint, Amount), Refusal> {
        let earlier = self.book.of(epoch).iter().rev().map(|made| made.coin.0);
        let mut usable = earlier.filter_map(|coin| Some((coin, self.coins.unspent(&coin)?)));
        let free = || self.coins.choose(|coin| self.book.is_reserved(coin, epoch));
        usable.next().or_else(free).ok_or(Refusal::Empty)
    }

    /// A transaction that pays this rate.
    fn pay(
        &self,
        output: &AnchorOutput,
        coin: (OutPoint, Amount),
        rate: FeeRate,
    ) -> Result<Made, Refusal> {
        let (outpoint, value) = coin;
        let with = |fee| {
            let funding = Funding { outpoint, value, fee, key: self.config.key };
            anchor_transaction(output, &funding).map_err(|_| Refusal::Coin)
        };
        let bytes = u32::try_from(with(TRIAL_FEE)?.vsize()).unwrap_or(u32::MAX);
        // The signature of another fee may be a byte longer.
        let transaction = with(Amount::from_sat(rate.fee(bytes.saturating_add(1))))?;
        let txid = Digest::new(transaction.compute_txid().to_byte_array());
        let sighting = Sighting { txid, output: *output };
        Ok(Made { sighting, rate, coin, transaction })
    }
}

/// What Bitcoin Core's refusal means; `None` where it has the transaction already.
pub(super) fn refusal(code: i64, message: &str) -> Option<Refusal> {
    let words = message.to_ascii_lowercase();
    let says = |any: &[&str]| any.iter().any(|part| words.contains(part));
    if code == -27 || says(&["already in utxo", "already in block chain", "txn-already"]) {
        None
    } else if says(&["missing", "premature-spend", "inputs-spent", "orphan"]) {
        Some(Refusal::Coin)
    } else if says(&["fee"]) && !says(&["max-fee", "absurdly-high-fee", "maxfeerate"]) {
        Some(Refusal::Fee)
    } else {
        Some(Refusal::Other)
    }
}
