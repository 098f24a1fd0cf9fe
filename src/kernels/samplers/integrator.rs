//! How Hamiltonian trajectories are integrated: kicks of the velocity and moves of the states in turn.

use crate::words::table;

/// A symmetric composition of kicks and moves, of second order, that leaves volumes as they are and is its own inverse
/// when the velocity is turned round: what the Metropolis test asks for.
pub struct Integrator {
    /// What configurations call it.
    pub name: &'static str,
    /// Shares of the composition's time that the kicks take, the last of which is at its end.
    kicks: &'static [f64],
    /// And the moves between them. After each the gradient is evaluated.
    moves: &'static [f64],
}

/// Duane, Kennedy, Pendleton & Roweth 1987; Neal 2011.
pub static LEAPFROG: Integrator = Integrator {
    name: "leapfrog",
    kicks: &[0.5, 0.5],
    moves: &[1.0],
};

/// The first kick, and the first move, of the two- and three-stage compositions of Blanes, Casas & Sanz-Serna, *Numerical
/// integrators for the hybrid Monte Carlo method*, 2014: their error in the energy is the least on Gaussians for steps as
/// long as they are used, not for short ones. That of two stages is (3 − √3)/6; it moves by halves.
const TWO_STAGES: f64 = 0.211_324_865_405_187_13;
const THREE_STAGES: [f64; 2] = [0.118_880_109_665_48, 0.296_195_042_611_26];

static TWO_STAGE: Integrator = Integrator {
    name: "two_stage",
    kicks: &[TWO_STAGES, 1.0 - 2.0 * TWO_STAGES, TWO_STAGES],
    moves: &[0.5, 0.5],
};

static THREE_STAGE: Integrator = Integrator {
    name: "three_stage",
    kicks: &[
        THREE_STAGES[0],
        0.5 - THREE_STAGES[0],
        0.5 - THREE_STAGES[0],
        THREE_STAGES[0],
    ],
    moves: &[
        THREE_STAGES[1],
        1.0 - 2.0 * THREE_STAGES[1],
        THREE_STAGES[1],
    ],
};

/// Every integrator, the default first.
pub static INTEGRATORS: [&Integrator; 3] = [&LEAPFROG, &TWO_STAGE, &THREE_STAGE];

table!(Integrator, &'static Integrator, &INTEGRATORS);

impl Integrator {
    /// Gradients of one composition. A trajectory takes a multiple of them.
    pub fn stages(&self) -> usize {
        self.moves.len()
    }

    /// The kick and the move that lead to the `evaluation`-th gradient of a trajectory, counted from 0, in units of ε, the
    /// time of a trajectory by the number of its gradients. The kick takes in what the composition before ends with.
    pub fn leap(&self, evaluation: usize) -> [f64; 2] {
        let (stages, stage) = (self.stages(), evaluation % self.stages());
        let before = if stage == 0 && evaluation > 0 {
            self.last_kick()
        } else {
            0.0
        };
        let unit = stages as f64;
        [before + unit * self.kicks[stage], unit * self.moves[stage]]
    }

    /// The kick after a trajectory's last gradient, in units of ε.
    pub fn last_kick(&self) -> f64 {
        let stages = self.stages();
        stages as f64 * self.kicks[stages]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_symmetric_and_take_the_whole_time() {
        for integrator in INTEGRATORS {
            for shares in [integrator.kicks, integrator.moves] {
                let turned: Vec<f64> = shares.iter().rev().copied().collect();
                assert_eq!(shares, turned, "{integrator:?}");
                let all: f64 = shares.iter().sum();
                assert!((all - 1.0).abs() < 1e-15, "{integrator:?}: {all}");
            }
            let leaps = 2 * integrator.stages();
            let [mut kicks, mut moves] = [integrator.last_kick(), 0.0];
            for [kick, step] in (0..leaps).map(|leap| integrator.leap(leap)) {
                kicks += kick;
                moves += step;
            }
            for time in [kicks, moves] {
                assert!((time - leaps as f64).abs() < 1e-14, "{integrator:?}");
            }
        }
        assert_eq!(LEAPFROG.leap(0), [0.5, 1.0]);
        assert_eq!(LEAPFROG.leap(1), [1.0, 1.0]);
        assert_eq!(LEAPFROG.last_kick(), 0.5);
    }
}
