//! The check that a driver can be trusted with a variant of the kernels.

mod common;

use afterimage::config::Precision;
use afterimage::low_level::kernels::texel::Texel;
use afterimage::low_level::kernels::tiled::Tiled;
use afterimage::low_level::kernels::{FAMILIES, Variant};
use afterimage::low_level::network::{
    computes_right, require_family, trusted_variant, trusted_variant_in,
};
use common::{executor, mixed_variants, variants};

#[test]
fn every_variant_can_be_trusted_here() {
    let mut executor = executor(false);
    for (name, variant) in [variants(&executor), mixed_variants(&executor)].concat() {
        assert!(
            computes_right(&mut executor, variant).expect("runs"),
            "{name}"
        );
    }
    let preferred = Variant::for_profile(&executor.profile());
    assert_eq!(trusted_variant(&mut executor).expect("runs"), preferred);
}

#[test]
fn mixed_precision_runs_where_it_can_and_is_refused_elsewhere() {
    let mut executor = executor(false);
    let preferred = Variant::for_profile(&executor.profile());
    let outcome = trusted_variant_in(&mut executor, Precision::Mixed);
    match preferred.in_precision(Precision::Mixed) {
        Some(mixed) => assert_eq!(outcome.expect("runs"), mixed),
        None => {
            let text = outcome.expect_err("has no f16").to_string();
            assert!(text.contains("run.precision = \"full\""), "{text}");
        }
    }
    assert_eq!(Variant::Tiled(Tiled).in_precision(Precision::Mixed), None);
    let full = trusted_variant_in(&mut executor, Precision::Full).expect("runs");
    assert_eq!(full, preferred, "the one does not change the other");
}

#[test]
fn a_family_that_is_asked_for_is_the_one_that_runs() {
    let mut executor = executor(false);
    for family in FAMILIES {
        let variant = require_family(&mut executor, family).expect("computes right here");
        assert!(variant.name().starts_with(family), "{variant:?}");
        assert_eq!(trusted_variant(&mut executor).expect("known"), variant);
        let mixed = trusted_variant_in(&mut executor, Precision::Mixed);
        assert_eq!(
            mixed.ok(),
            variant.in_precision(Precision::Mixed),
            "{variant:?}"
        );
    }
    let text = require_family(&mut executor, "none").expect_err("is none");
    assert!(text.to_string().contains(&FAMILIES.join(", ")), "{text}");
}

/// What a driver does that reports another subgroup size than it runs.
#[test]
fn a_wrong_subgroup_size_is_noticed() {
    let mut executor = executor(false);
    let texel = Texel::best(&executor.profile());
    if texel.lanes == 1 {
        println!("skipped: this adapter has no subgroups of one size");
        return;
    }
    let wrong = Variant::Texel(Texel {
        lanes: texel.lanes * 2,
        ..texel
    });
    assert!(!computes_right(&mut executor, wrong).expect("runs"));
}

#[test]
fn the_self_test_leaves_no_memory_behind() {
    let mut executor = executor(false);
    let before = executor.allocated_bytes();
    trusted_variant(&mut executor).expect("runs");
    assert_eq!(executor.allocated_bytes(), before);
}

#[test]
fn the_self_test_runs_once_for_each_executor() {
    let mut executor = executor(false);
    let variant = trusted_variant(&mut executor).expect("runs");
    let launches = executor.statistics().launches;
    assert!(launches > 0);
    assert_eq!(trusted_variant(&mut executor).expect("known"), variant);
    assert_eq!(executor.statistics().launches, launches);
}
