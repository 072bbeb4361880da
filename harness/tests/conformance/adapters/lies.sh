#!/bin/sh
# Declares every operation of layer L1 and answers none of them: unsupported.
. "$(dirname "$0")/common.sh"

hello() {
    greet decode merkle.root merkle.level merkle.path merkle.verify \
        ed25519.sign ed25519.verify ed25519.verify_batch envelope.check certificate.check evidence.judge \
        receipt.verify anchor.read windows roster access file.seal file.open \
        pre.key_gen pre.encaps pre.decaps pre.offer pre.accept pre.re_encrypt delivery.sign delivery.check \
        paper.rank paper.admit paper.items paper.window paper.prove paper.verify paper.minutes paper.credit \
        paper.replace paper.pre.keys paper.pre.encrypt paper.pre.decrypt paper.pre.offer paper.pre.rekey \
        paper.pre.re_encrypt
}
call() { unsupported "$op"; }
serve
