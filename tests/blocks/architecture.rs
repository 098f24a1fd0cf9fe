//! Shapes that are refused, work that is counted, and checkpoints.

use crate::common::{assert_close, executor, normals, twin, widen};
use crate::examples::{DIGITS, LAYERS, conv, dense, digits, pool, residual};
use crate::gradients::TOLERANCE;
use afterimage::config::{self, LayerSpec};
use afterimage::data::Scaling;
use afterimage::gpu::Executor;
use afterimage::low_level::checkpoint::TensorFile;
use afterimage::low_level::kernels::Activation;
use afterimage::low_level::network::initial_parameters;
use afterimage::low_level::{model, train};
use afterimage::model::{Architecture, Model, NetworkError};
use afterimage::shape::Shape;

#[test]
fn layers_that_do_not_fit_are_refused_by_name() {
    let refusal = |specs: &[LayerSpec]| -> NetworkError {
        Architecture::new(Shape::new(2, 6, 5), specs, Activation::SILU, None).expect_err("refused")
    };
    for (specs, parts) in [
        (
            vec![conv(4, 3, 2, 1), pool(4)],
            ["layer 1 (pool 4)", "4×4 window", "3×3 input"],
        ),
        (
            vec![residual(4, 3, 6)],
            ["layer 0 (residual 4)", "6×6 window", "6×5 input"],
        ),
        (
            vec![residual(4, 2, 1)],
            ["layer 0 (residual 4)", "odd kernel", "use 3"],
        ),
        (
            vec![residual(4, 3, 0)],
            ["layer 0 (residual 4)", "pool", "at least 1"],
        ),
        (
            vec![dense(3), pool(1)],
            ["layer 1 (pool 1)", "dense", "before"],
        ),
        (
            vec![dense(3), LayerSpec::GlobalSum],
            ["layer 1 (global_sum)", "dense", "before"],
        ),
        (
            vec![pool(2), dense(3), residual(1, 1, 1)],
            ["layer 2 (residual 1)", "dense", "before"],
        ),
        (
            vec![pool(2), LayerSpec::GlobalSum],
            ["nothing to learn", "conv", "residual"],
        ),
        (
            vec![residual(1 << 30, 3, 1)],
            ["layer 0 (residual 1073741824)", "too large", "smaller"],
        ),
        (
            vec![conv(4, 9, 1, 0)],
            ["layer 0 (conv 4)", "9×9 kernel", "6×5 input"],
        ),
    ] {
        let text = refusal(&specs).to_string();
        assert!(
            parts.iter().all(|part| text.contains(part)) && !text.contains('\n'),
            "{text}"
        );
    }
    // What only the preset says of its last layer would give way.
    let own_head = "network.zero_head=true".to_owned();
    for (set, part) in [
        ("network.layers=[{residual=4, kernel=2}]", "be odd"),
        (
            "network.layers=[{residual=0}]",
            "network.layers[0].residual = 0",
        ),
        (
            "network.layers=[{pool=0},{dense=1}]",
            "network.layers[0].pool = 0",
        ),
        ("network.layers=[{global_sum=false},{dense=1}]", "be true"),
        ("network.layers=[{global_sum=1},{dense=1}]", "true or false"),
        (
            "network.layers=[{dense=1},{residual=4}]",
            "before every dense layer",
        ),
        (
            "network.layers=[{dense=1},{global_sum=true}]",
            "before every dense layer",
        ),
        ("network.layers=[{pool=2}]", "something to learn"),
        (
            "network.layers=[{residual=4, stride=2}]",
            "`network.layers[0].stride`",
        ),
        (
            "network.layers=[{residual=4, conv=2, kernel=1}]",
            "`network.layers[0]",
        ),
        ("network.layers=[{residual=4}]", "skip is not zero"),
        ("network.initialisation=hee", "did you mean `he`?"),
        ("network.spectral_norm=true", "a weight of zeros"),
    ] {
        let text = config::load("digits-langevin", &[own_head.clone(), set.to_string()])
            .expect_err(set)
            .to_string();
        assert!(text.contains(part) && !text.contains('\n'), "{set}: {text}");
    }
}

#[test]
fn work_is_counted_for_every_block() {
    let specs = [
        residual(4, 3, 2),
        pool(2),
        residual(4, 3, 1),
        LayerSpec::GlobalSum,
        dense(1),
    ];
    let shape = Shape::new(3, 8, 8);
    let network = Architecture::new(shape, &specs, Activation::SILU, None).expect("fits");
    // 3×3 convolutions 3→4 and 4→4 and a skip 3→4 on 8×8, the sum of both branches; on 2×2 two of 4→4 and the sum.
    let first = 2 * 64 * (9 * 12 + 9 * 16 + 12) + 2 * 4 * 64;
    let second = 2 * 4 * (2 * 9 * 16) + 2 * 4 * 4;
    let flops: Vec<u64> = (0..5).map(|index| network.block_flops(index)).collect();
    assert_eq!(flops, [first, 4 * 16, second, 4 * 4, 2 * 4]);
    assert_eq!(network.flops_per_gradient(), 2 * flops.iter().sum::<u64>());
    let counts: Vec<usize> = (0..5).map(|i| network.block_parameter_count(i)).collect();
    assert_eq!(
        counts,
        [9 * 12 + 4 + 9 * 16 + 4 + 12 + 4, 0, 2 * (9 * 16 + 4), 0, 5]
    );
    assert_eq!(network.parameter_count(), counts.iter().sum::<usize>());
    let names: Vec<_> = network
        .tensors()
        .into_iter()
        .map(|t| (t.name, t.shape))
        .collect();
    let skip = ("layers.0.skip.weight".to_string(), vec![4, 3, 1, 1]);
    let conv2 = ("layers.2.conv2.weight".to_string(), vec![4, 4, 3, 3]);
    assert!(names.contains(&skip) && names.contains(&conv2), "{names:?}");
    assert_eq!(names.len(), 2 * (3 + 2 + 1));
}

#[test]
fn a_checkpoint_keeps_every_block() {
    let mut executor = executor(false);
    for (spectral_norm, tensors) in [(false, 18), (true, 27)] {
        let mut config = digits(&[
            LAYERS,
            "network.zero_head=false",
            "network.initialisation=orthogonal",
        ]);
        config.network.spectral_norm = spectral_norm;
        let architecture = model::architecture(&config, DIGITS).expect("fits");
        let mut parameters = initial_parameters(&architecture, &train::initialisation(&config), 3);
        // Neither orthogonal weights nor vectors of length one would show what is divided by.
        parameters.iter_mut().for_each(|value| *value *= 0.7);
        let scaling = Scaling::unscaled(-1.0, 1.0);
        let saved = Model::new(config, DIGITS, scaling, parameters.clone(), 7).expect("fits");
        let folder = tempfile::tempdir().expect("makes a folder");
        let path = folder.path().join("model.safetensors");
        saved.save(&path).expect("saves");
        let file = TensorFile::load(&path).expect("loads");
        assert_eq!(file.tensors.len(), tensors);
        let name = if spectral_norm {
            "weight_orig"
        } else {
            "weight"
        };
        let name = format!("layers.2.skip.{name}");
        assert!(
            file.tensors
                .iter()
                .any(|t| t.name == name && t.shape == [6, 4, 1, 1])
        );

        let loaded = Model::load(&path).expect("loads");
        assert!(loaded.parameters() == parameters && loaded.architecture() == &architecture);
        let x = normals(4, 3 * DIGITS.len());
        let energies = |executor: &mut Executor, model: &Model| {
            let mut evaluator = model.evaluator(executor, 2).expect("fits");
            evaluator.energies(executor, &x).expect("runs")
        };
        let before = energies(&mut executor, &saved);
        let after = energies(&mut executor, &loaded);
        assert!(before == after);
        let want = twin(&architecture, &widen(&parameters)).energies(&widen(&x), 3);
        assert_close("energies", &after, &want, TOLERANCE);
    }
}
