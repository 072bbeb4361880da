//! Every number of `Parameters` that follows from others, computed again. [PRE-1]

use harness::rules::lattice::failure::{hops_max, log2_bound, log2_bound_of_a_circle};
use harness::rules::lattice::law::Chi;
use harness::rules::lattice::noise::{fresh_variance, hop_variance};
use harness::rules::lattice::security::core_svp;
use harness::rules::lattice::shape::Shape;
use mdsm_core::reencryption::{IMPOSSIBLE, Noise, Set};

use crate::chain::shape;

/// The rules' table and the core's have the same choices, so that what follows is about the same sets.
#[test]
fn pre_1_7_the_sets_are_those_of_the_rules() {
    for set in Set::ALL {
        let (p, shape) = (set.parameters(), shape(*set));
        assert_eq!(p.name, shape.name);
        let digits = (p.digits.bits, p.digits.count, p.digits.dropped_bits, !p.digits.signed);
        assert_eq!(digits, (shape.w, shape.l, shape.d, shape.single_bits), "{}", p.name);
        assert_eq!((p.dimension, p.modulus.log2()), (shape.n, shape.log2_q), "{}", p.name);
        assert_eq!((p.columns, p.message_bits), (shape.columns, shape.b), "{}", p.name);
        let flood: Vec<i64> = p.flood.iter().copied().map(i64::from).collect();
        assert_eq!(flood, shape.flood, "{}", p.name);
        // It hides nearly as much as an honest reader's key would: nine tenths of its deviation.
        let law = shape.chi.law().square();
        let square: i64 = shape.flood.iter().map(|weight| weight * weight).sum();
        assert!(square as f64 >= 0.81 * 2.0 * shape.n as f64 * law, "{}", p.name);
        match p.noise {
            Noise::Binomial => assert_eq!(shape.chi, Chi::Binomial, "{}", p.name),
            Noise::Table(table) => {
                let mut so_far = 0;
                let cumulated = shape.chi.frequencies().iter().enumerate().map(|(size, count)| {
                    so_far += if size == 0 { count / 2 } else { *count };
                    so_far - 1
                });
                let table: Vec<i64> = table.iter().copied().map(i64::from).collect();
                assert_eq!(table, cumulated.collect::<Vec<_>>(), "{}", p.name);
            }
        }
    }
}

#[test]
fn pre_1_10_every_bound_noise_and_security_of_a_set_follows_from_its_choices() {
    //= harness/spec/reencryption.md#pre-1-scheme
    //= type=test
    //# PRE-1.10 (ours): Every parameter set MUST keep the bound on the probability of a wrong column
    //# below 2^-128 for every hop that it allows.
    let one_decimal = |value: f64| (value * 10.0).round() / 10.0;
    for set in Set::ALL {
        let (p, shape) = (set.parameters(), shape(*set));
        let bounds: Vec<f64> = (0..=p.hops_max()).map(|hops| log2_bound(shape, hops)).collect();
        println!("{}: {bounds:.2?}, core-SVP {:?}", p.name, core_svp(shape));
        let stated = |log2: &i32| match *log2 {
            IMPOSSIBLE => f64::NEG_INFINITY,
            log2 => f64::from(log2),
        };
        let stated: Vec<f64> = p.failure_log2.iter().map(stated).collect();
        assert_eq!(bounds.iter().map(|b| b.ceil()).collect::<Vec<_>>(), stated, "{}", p.name);
        assert!(bounds.iter().all(|bound| *bound < -128.0), "{}", p.name);
        assert_eq!(one_decimal(fresh_variance(shape).sqrt()), p.fresh_noise, "{}", p.name);
        assert_eq!(one_decimal(hop_variance(shape).sqrt()), p.hop_noise, "{}", p.name);
        assert_eq!(core_svp(shape), p.core_svp, "{}", p.name);
    }
}

#[test]
fn pre_1_10_a_set_allows_as_many_hops_as_its_bound_does() {
    for set in Set::ALL {
        let (allowed, sound) = (set.parameters().hops_max(), hops_max(shape(*set)));
        println!("{set:?}: {allowed} hops allowed, {sound} are sound");
        match set {
            // They are there to be looked at, and stop before they have to.
            Set::Toy16 | Set::Bits704 => assert!(allowed < sound, "{set:?}"),
            _ => assert_eq!(allowed, sound, "{set:?}"),
        }
    }
}

/// Nothing forbids a capsule to come back to a key that it was under, where noise adds up worse.
#[test]
fn pre_1_10_the_bound_holds_for_capsules_that_go_in_a_circle() {
    for set in Set::ALL {
        let (hops, shape) = (set.parameters().hops_max(), shape(*set));
        let (straight, circle) = (log2_bound(shape, hops), log2_bound_of_a_circle(shape, hops));
        println!("{set:?}: {circle:.2} in a circle of {hops} hops, {straight:.2} without");
        assert!(straight < circle && circle < -128.0, "{set:?}");
    }
}

/// A canary: a set whose numbers are a little worse has another bound, and is refused a hop.
#[test]
fn pre_1_10_a_worse_set_is_seen() {
    let sound = shape(Set::S704);
    assert!(log2_bound(sound, 2) < -128.0);
    for worse in [
        Shape { n: 2 * sound.n, ..*sound },
        Shape { chi: Chi::Binomial, ..*sound },
        Shape { b: 2, columns: 128, ..*sound },
        Shape { w: 6, l: 2, ..*sound },
        Shape { w: 3, l: 3, d: 7, ..*sound },
    ] {
        assert!(log2_bound(&worse, 2) > -128.0, "{worse:?}");
        assert!(hops_max(&worse) < 2, "{worse:?}");
    }
}
