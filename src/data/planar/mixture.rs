//! Mixtures with a continuum of components: a blur moved along curves, integrated by Gauss-Legendre quadrature.

use super::special::log_smoothed_box;
use std::f64::consts::PI;
use std::ops::Range;

/// Nodes of the rule on one piece of a curve; odd, so that one lies in its middle.
const NODES: usize = 9;
/// A piece is at most this many standard deviations of its blur long. The error of the rule for a normal density,
/// h¹⁹·9!⁴/(19·18!³)·max|φ⁽¹⁸⁾|, is then below 1e-12 of its peak.
const PIECE: f64 = 2.0;
/// Components this many nats below the best one are left out: each weighs less than 1e-13 of it.
const NEGLIGIBLE: f64 = 30.0;

/// What surrounds each point of the curves: in both coordinates, a uniform number on an interval of `width` (0 for none)
/// plus a normal one of variance `std`².
#[derive(Clone, Copy)]
pub(super) struct Blur {
    pub(super) width: f64,
    pub(super) std: f64,
}

impl Blur {
    /// That of a set whose own normal part has the standard deviation `own`, with the noise of training.
    pub(super) fn new(width: f64, own: f64, noise: f64) -> Self {
        let std = own.hypot(noise);
        Blur { width, std }
    }
}

struct Node {
    at: [f64; 2],
    log_weight: f64,
}

/// A piece of a curve: nodes that lie close together.
struct Piece {
    nodes: Range<usize>,
    /// The largest distance of a node from the middle one.
    radius: f64,
}

/// A curve with a weight for every point of it.
pub(super) struct Curve<'a> {
    pub(super) parameter: Range<f64>,
    /// The point at a parameter.
    pub(super) at: &'a dyn Fn(f64) -> [f64; 2],
    /// How fast that moves.
    pub(super) speed: &'a dyn Fn(f64) -> f64,
    /// The density of the parameter.
    pub(super) weight: &'a dyn Fn(f64) -> f64,
    /// The longest stretch of the parameter over which `weight` is smooth.
    pub(super) stretch: f64,
}

/// A density in the plane: a weighted sum of blurs.
pub(super) struct Mixture {
    blur: Blur,
    nodes: Vec<Node>,
    pieces: Vec<Piece>,
}

impl Mixture {
    /// Kernels of equal weight around single points.
    pub(super) fn of_points(points: &[[f64; 2]], blur: Blur) -> Self {
        let log_weight = -(points.len() as f64).ln();
        let nodes = points.iter().map(|&at| Node { at, log_weight });
        let pieces = (0..points.len()).map(|index| Piece {
            nodes: index..index + 1,
            radius: 0.0,
        });
        Mixture {
            blur,
            nodes: nodes.collect(),
            pieces: pieces.collect(),
        }
    }

    /// Kernels all along `curves`, whose weights together integrate to 1.
    pub(super) fn of_curves(curves: &[Curve<'_>], blur: Blur) -> Self {
        let mut mixture = Mixture {
            blur,
            nodes: Vec::new(),
            pieces: Vec::new(),
        };
        let rule = gauss_legendre();
        for curve in curves {
            let mut start = curve.parameter.start;
            while start < curve.parameter.end {
                let length = (PIECE * blur.std / (curve.speed)(start)).min(curve.stretch);
                // A rest that rounding leaves is no piece.
                let end = match start + length * (1.0 + 1e-6) < curve.parameter.end {
                    true => start + length,
                    false => curve.parameter.end,
                };
                mixture.add(curve, start..end, &rule);
                start = end;
            }
        }
        mixture
    }

    fn add(&mut self, curve: &Curve<'_>, parameter: Range<f64>, rule: &[[f64; 2]; NODES]) {
        let first = self.nodes.len();
        let half = 0.5 * (parameter.end - parameter.start);
        for [place, weight] in rule {
            let t = parameter.start + half * (1.0 + place);
            self.nodes.push(Node {
                at: (curve.at)(t),
                log_weight: (half * weight * (curve.weight)(t)).ln(),
            });
        }
        let nodes = &self.nodes[first..];
        let middle = &nodes[NODES / 2];
        let distances = nodes.iter().map(|node| distance(node.at, middle.at));
        self.pieces.push(Piece {
            radius: distances.fold(0.0, f64::max),
            nodes: first..first + NODES,
        });
    }

    /// ln of the density at `point`.
    pub(super) fn log_density(&self, point: [f64; 2], scratch: &mut Scratch) -> f64 {
        let Blur { width, std } = self.blur;
        self.log_sum(point, scratch, |_, node| {
            log_smoothed_box(point[0] - node.at[0], width, std)
                + log_smoothed_box(point[1] - node.at[1], width, std)
        })
    }

    /// ln of the blur's factor in coordinate `axis` at each of `places`, for each node. With it, [`Self::log_density_of_factors`] computes a grid faster.
    pub(super) fn factors(&self, axis: usize, places: &[f64]) -> Vec<f64> {
        let Blur { width, std } = self.blur;
        let mut table = Vec::with_capacity(places.len() * self.nodes.len());
        for place in places {
            let of = |node: &Node| log_smoothed_box(place - node.at[axis], width, std);
            table.extend(self.nodes.iter().map(of));
        }
        table
    }

    /// [`Self::log_density`] at column `x` and row `y` of a grid, from its [`Self::factors`].
    pub(super) fn log_density_of_factors(
        &self,
        point: [f64; 2],
        [x, y]: [usize; 2],
        [columns, rows]: [&[f64]; 2],
        scratch: &mut Scratch,
    ) -> f64 {
        let len = self.nodes.len();
        let (column, row) = (&columns[x * len..][..len], &rows[y * len..][..len]);
        self.log_sum(point, scratch, |index, _| column[index] + row[index])
    }

    /// ln Σ exp(log weight + `log_kernel`), over the pieces that are near enough to matter.
    fn log_sum(
        &self,
        point: [f64; 2],
        scratch: &mut Scratch,
        log_kernel: impl Fn(usize, &Node) -> f64,
    ) -> f64 {
        // In standard deviations, a distance changes over a piece by no more than the piece's extent.
        scratch.distances.clear();
        let mut nearest = f64::INFINITY;
        for piece in &self.pieces {
            let middle = &self.nodes[piece.nodes.start + piece.nodes.len() / 2];
            let (far, slack) = self.deviations(point, middle, piece);
            nearest = nearest.min(far);
            scratch.distances.push((far - slack).max(0.0));
        }
        let limit = nearest * nearest + 2.0 * NEGLIGIBLE;
        scratch.logs.clear();
        let mut most = f64::NEG_INFINITY;
        for (piece, least) in self.pieces.iter().zip(&scratch.distances) {
            if least * least > limit {
                continue;
            }
            for index in piece.nodes.clone() {
                let node = &self.nodes[index];
                let log = node.log_weight + log_kernel(index, node);
                most = most.max(log);
                scratch.logs.push(log);
            }
        }
        if most == f64::NEG_INFINITY {
            return most;
        }
        let above = scratch.logs.iter().map(|log| log - most);
        let sum: f64 = above.filter(|log| *log > -NEGLIGIBLE).map(f64::exp).sum();
        most + sum.ln()
    }

    /// How many standard deviations `point` lies from the blur of `middle`, and by how many at most that differs for
    /// the other nodes of `piece`.
    fn deviations(&self, point: [f64; 2], middle: &Node, piece: &Piece) -> (f64, f64) {
        let Blur { width, std } = self.blur;
        let outside = |axis: usize| ((point[axis] - middle.at[axis]).abs() - 0.5 * width).max(0.0);
        (outside(0).hypot(outside(1)) / std, piece.radius / std)
    }
}

/// Room for one thread to work in.
#[derive(Default)]
pub(super) struct Scratch {
    distances: Vec<f64>,
    logs: Vec<f64>,
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// Places in (−1, 1) and weights of the Gauss-Legendre rule: the zeros of P_n by Newton's method from their
/// asymptotic places, and 2/((1 − x²)·P_n'(x)²) (NIST DLMF 3.5.20 and 18.16.5).
fn gauss_legendre() -> [[f64; 2]; NODES] {
    let n = NODES as f64;
    std::array::from_fn(|index| {
        let mut x = -(PI * (index as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..8 {
            // (k + 1) P_{k+1} = (2k + 1) x P_k − k P_{k−1}
            let (mut before, mut value) = (1.0, x);
            for k in 1..NODES {
                let k = k as f64;
                (before, value) = (
                    value,
                    ((2.0 * k + 1.0) * x * value - k * before) / (k + 1.0),
                );
            }
            slope = n * (before - x * value) / (1.0 - x * x);
            x -= value / slope;
        }
        [x, 2.0 / ((1.0 - x * x) * slope * slope)]
    })
}
