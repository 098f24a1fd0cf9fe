use rand::rand_core::{Infallible, TryRng};

const MULTIPLIER_0: u32 = 0xD251_1F53;
const MULTIPLIER_1: u32 = 0xCD9E_8D57;
const WEYL_0: u32 = 0x9E37_79B9;
const WEYL_1: u32 = 0xBB67_AE85;

/// What a stream of random numbers is for. Each purpose has its own stream, so that drawing more
/// numbers for one never shifts the numbers of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stream {
    /// Initial parameters of the network.
    Parameters = 1,
    /// The order in which data samples are visited, and the draws of generated data.
    Data = 2,
    /// Gaussian noise added to data samples.
    DataNoise = 3,
    /// Gaussian noise of the Langevin update.
    Langevin = 4,
    /// Which chains start afresh, and from where.
    ChainStart = 5,
    /// The order in which the replay buffer is visited.
    ReplayOrder = 6,
    /// Langevin noise of the chains drawn from a finished model.
    Sampling = 7,
    /// Where those chains start.
    SamplingStart = 8,
    /// Draws from a fixed noise distribution.
    FixedNoise = 9,
    /// Where chains are offered to jump to, and whether they do.
    Jump = 10,
    /// The same of the chains drawn from a finished model.
    SamplingJump = 11,
    /// Lines that samples are projected on, to be compared.
    Directions = 12,
    /// Divisions, orders and signs of samples in tests and resamples.
    Resampling = 13,
    /// Which passes of a pool the noise of a step is from.
    NoisePool = 18,
    /// How many chains of a pass start afresh where the GPU decides which steps have one.
    PoolRestarts = 19,
    /// Which samples of a data set training never sees.
    HeldOut = 17,
}

/// Ten rounds of Philox4x32 on a 128-bit `counter` under a 64-bit `key`.
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    for _ in 0..10 {
        let p0 = u64::from(MULTIPLIER_0) * u64::from(c0);
        let p1 = u64::from(MULTIPLIER_1) * u64::from(c2);
        (c0, c1, c2, c3) = (
            (p1 >> 32) as u32 ^ c1 ^ k0,
            p1 as u32,
            (p0 >> 32) as u32 ^ c3 ^ k1,
            p0 as u32,
        );
        k0 = k0.wrapping_add(WEYL_0);
        k1 = k1.wrapping_add(WEYL_1);
    }
    [c0, c1, c2, c3]
}

/// Maps 32 random bits to the open interval (0, 1): (⌊bits / 2⁹⌋ + ½) · 2⁻²³, exact in f32.
pub fn uniform01(bits: u32) -> f32 {
    ((bits >> 9) as f32 + 0.5) * (1.0 / 8_388_608.0)
}

/// Two independent standard normals from two uniforms on (0, 1) (Box & Muller 1958).
pub(crate) fn box_muller(u1: f64, u2: f64) -> [f64; 2] {
    let radius = (-2.0 * u1.ln()).sqrt();
    let angle = std::f64::consts::TAU * u2;
    [radius * angle.cos(), radius * angle.sin()]
}

/// A generator over one (seed, stream, step): the host-side counterpart of the shader's function.
///
/// Implements `rand`'s generator trait, so `rand`'s distributions and shuffles work on it.
#[derive(Clone, Debug)]
pub struct Philox {
    key: [u32; 2],
    stream: u32,
    step: u32,
    element: u32,
    block: u32,
    words: [u32; 4],
    used: usize,
}

impl Philox {
    /// A generator for `stream` at `step`, starting at element 0.
    pub fn new(seed: u64, stream: Stream, step: u32) -> Self {
        Philox {
            key: [seed as u32, (seed >> 32) as u32],
            stream: stream as u32,
            step,
            element: 0,
            block: 0,
            words: [0; 4],
            used: 4,
        }
    }

    /// The four words at `element`: counter (element, block, step, stream) under the seed as key.
    pub fn words(seed: u64, stream: Stream, step: u32, element: u32) -> [u32; 4] {
        philox4x32_10(
            [element, 0, step, stream as u32],
            [seed as u32, (seed >> 32) as u32],
        )
    }

    /// A standard normal number.
    pub fn normal(&mut self) -> f32 {
        let [a, _] = box_muller(
            f64::from(uniform01(self.next_word())),
            f64::from(uniform01(self.next_word())),
        );
        a as f32
    }

    /// A uniform number on the open interval (0, 1).
    pub fn uniform(&mut self) -> f32 {
        uniform01(self.next_word())
    }

    fn next_word(&mut self) -> u32 {
        if self.used == 4 {
            self.words =
                philox4x32_10([self.element, self.block, self.step, self.stream], self.key);
            self.used = 0;
            let (next, wrapped) = self.element.overflowing_add(1);
            self.element = next;
            self.block += u32::from(wrapped);
        }
        self.used += 1;
        self.words[self.used - 1]
    }
}

impl TryRng for Philox {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.next_word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(self.next_word()) | u64::from(self.next_word()) << 32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            chunk.copy_from_slice(&self.next_word().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known-answer vectors of the Random123 distribution (`kat_vectors`, philox4x32, 10 rounds).
    #[test]
    fn random123_vectors() {
        let ones = u32::MAX;
        assert_eq!(
            philox4x32_10([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox4x32_10([ones; 4], [ones; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32_10(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn uniforms_stay_inside_the_open_interval() {
        assert!(uniform01(0) > 0.0);
        assert!(uniform01(u32::MAX) < 1.0);
    }

    #[test]
    fn normals_have_unit_variance() {
        let mut generator = Philox::new(7, Stream::Data, 0);
        let n = 20_000;
        let (mut sum, mut squares) = (0.0f64, 0.0f64);
        for _ in 0..n {
            let x = f64::from(generator.normal());
            sum += x;
            squares += x * x;
        }
        let mean = sum / f64::from(n);
        // Five standard errors: 5/√n for the mean, 5·√(2/n) for the variance.
        assert!(mean.abs() < 5.0 / f64::from(n).sqrt(), "mean {mean}");
        let variance = squares / f64::from(n) - mean * mean;
        assert!(
            (variance - 1.0).abs() < 5.0 * (2.0 / f64::from(n)).sqrt(),
            "variance {variance}"
        );
    }
}
