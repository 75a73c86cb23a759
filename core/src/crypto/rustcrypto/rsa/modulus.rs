//! Powers modulo an odd number, of public values only: nothing runs in constant time.
//!
//! Montgomery multiplication (Koç, Acar, Kaliski: "Analyzing and comparing Montgomery
//! multiplication algorithms", CIOS) and square-and-multiply. Numbers are limbs of 32 bits, which
//! is what WebAssembly multiplies in one step, the lowest first.
//!
//! Own arithmetic in a verifier needs a reason, and witnesses. The reason: `crypto-bigint`'s boxed
//! integers weigh 9 KB more in the WebAssembly module, and only without them page and module are
//! below 200 KB together. The witnesses: the tests below hold every power against `crypto-bigint`
//! over hundreds of moduli of 2048 to 8192 bits, with bases at the modulus, limbs of all ones and
//! all zeros, and exponents up to the largest; Wycheproof's RSA vectors and the corpus of bundles
//! go through this and through aws-lc-rs and must come to the same verdicts; a key is refused
//! before it comes here unless its size and exponent are within bounds. It is the filler for
//! WebAssembly alone: native programs verify by aws-lc-rs.

use alloc::{vec, vec::Vec};

/// An odd number with what multiplying modulo it takes.
pub(super) struct Modulus {
    limbs: Vec<u32>,
    /// What the lowest limb is to be multiplied by to become -1.
    factor: u32,
}

/// A number below the modulus, times R, which is 2³² to the power of the modulus's limbs.
type Form = Vec<u32>;

impl Modulus {
    /// From octets, the highest first; nothing when it is even or zero.
    pub(super) fn new(octets: &[u8]) -> Option<Self> {
        let mut limbs = limbs(octets);
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        let lowest = *limbs.first()?;
        // Newton: an odd number is its own inverse in three bits; each round doubles them.
        let mut inverse = lowest;
        for _ in 0..4 {
            inverse = inverse.wrapping_mul(2_u32.wrapping_sub(lowest.wrapping_mul(inverse)));
        }
        (lowest & 1 == 1).then(|| Self { limbs, factor: inverse.wrapping_neg() })
    }

    /// `base` to the power of `exponent`, as octets, the highest first; `base` must be below the
    /// modulus.
    pub(super) fn power(&self, base: &[u8], exponent: u64) -> Vec<u8> {
        let mut base = limbs(base);
        base.resize(self.limbs.len(), 0);
        let base = self.product(&base, &self.square_of_radix());
        let mut one = vec![0; self.limbs.len()];
        one.iter_mut().take(1).for_each(|lowest| *lowest = 1);
        let power = self.product(&self.raised(&base, exponent), &one);
        power.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect()
    }

    /// `base` to the power of `exponent`, which is not zero.
    fn raised(&self, base: &Form, exponent: u64) -> Form {
        let mut power = base.clone();
        for place in (0..exponent.checked_ilog2().unwrap_or(0)).rev() {
            power = self.product(&power, &power);
            if exponent >> place & 1 == 1 {
                power = self.product(&power, base);
            }
        }
        power
    }

    /// R² modulo the modulus, by doubling alone: 2·R to the power of R's bits, in this form.
    fn square_of_radix(&self) -> Form {
        // The highest bit of the modulus is below it, and so few doublings from R.
        let mut number = vec![0; self.limbs.len()];
        let highest = self.limbs.last().map_or(0, |limb| limb.leading_zeros());
        if let Some(limb) = number.last_mut() {
            *limb = (1 << 31_u32) >> highest;
        }
        for _ in 0..=highest {
            self.double(&mut number);
        }
        self.double(&mut number);
        let bits = u64::from(u32::BITS).saturating_mul(self.limbs.len() as u64);
        self.raised(&number, bits)
    }

    fn double(&self, number: &mut [u32]) {
        let mut carry = 0;
        for limb in number.iter_mut() {
            (*limb, carry) = (*limb << 1 | carry, *limb >> 31);
        }
        self.reduce(number, carry.into());
    }

    /// `a` times `b`, divided by R; both below the modulus.
    fn product(&self, a: &[u32], b: &[u32]) -> Form {
        let mut sum = vec![0; self.limbs.len()];
        let mut above = 0_u64;
        for limb in b {
            above = above.wrapping_add(add_product(&mut sum, a, *limb));
            // What makes the lowest limb zero.
            let factor = sum.first().map_or(0, |lowest| lowest.wrapping_mul(self.factor));
            above = above.wrapping_add(add_product(&mut sum, &self.limbs, factor));
            sum.rotate_left(1);
            if let Some(highest) = sum.last_mut() {
                *highest = low(above);
            }
            above >>= u32::BITS;
        }
        self.reduce(&mut sum, above);
        sum
    }

    /// Takes the modulus off a number that is below twice of it.
    fn reduce(&self, number: &mut [u32], above: u64) {
        if above == 0 && number.iter().rev().lt(self.limbs.iter().rev()) {
            return;
        }
        let mut borrow = false;
        for (limb, off) in number.iter_mut().zip(&self.limbs) {
            let (difference, first) = limb.overflowing_sub(*off);
            let (difference, second) = difference.overflowing_sub(borrow.into());
            (*limb, borrow) = (difference, first || second);
        }
    }
}

/// Adds `number` times `factor` to `sum`, which is as long; what does not fit any more.
fn add_product(sum: &mut [u32], number: &[u32], factor: u32) -> u64 {
    let mut carry = 0;
    for (limb, other) in sum.iter_mut().zip(number) {
        // (2³² - 1)² + 2 (2³² - 1) = 2⁶⁴ - 1: it never wraps.
        let product = u64::from(*other).wrapping_mul(factor.into());
        let total = product.wrapping_add((*limb).into()).wrapping_add(carry);
        (*limb, carry) = (low(total), total >> u32::BITS);
    }
    carry
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
fn low(number: u64) -> u32 {
    number as u32
}

fn limbs(octets: &[u8]) -> Vec<u32> {
    let limb = |chunk: &[u8]| chunk.iter().fold(0, |limb, octet| limb << 8 | u32::from(*octet));
    octets.rchunks(4).map(limb).collect()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "tests may"
    )]
    use crypto_bigint::{
        BoxedUint, Odd,
        modular::{BoxedMontyForm, BoxedMontyParams},
    };

    use super::*;

    /// A generator of fixed seed (xorshift).
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn octets(&mut self, length: usize) -> Vec<u8> {
            (0..length).map(|_| self.next().to_be_bytes()[0]).collect()
        }
    }

    /// The octets with runs of ones or zeros as long as limbs, where carries are.
    fn with_runs(mut octets: Vec<u8>, random: &mut Random) -> Vec<u8> {
        for chunk in octets.chunks_mut(4) {
            match random.next() % 4 {
                0 => chunk.fill(0xFF),
                1 => chunk.fill(0),
                _ => {}
            }
        }
        octets
    }

    /// Odd, of that many bits.
    fn modulus(bits: usize, round: usize, random: &mut Random) -> Vec<u8> {
        let octets = random.octets(bits.div_ceil(8));
        let mut octets = match round % 4 {
            0 => octets,
            1 => with_runs(octets, random),
            2 => vec![0xFF; octets.len()],
            _ => vec![0; octets.len()],
        };
        let highest = (bits - 1) % 8;
        octets[0] = octets[0] & ((1 << highest) - 1) | 1 << highest;
        *octets.last_mut().unwrap() |= 1;
        octets
    }

    fn assert_same_power(modulus: &[u8], base: &[u8], exponent: u64) {
        let bits = u32::try_from(modulus.len() * 8).unwrap();
        let theirs = Odd::new(BoxedUint::from_be_slice(modulus, bits).unwrap()).unwrap();
        let params = BoxedMontyParams::new_vartime(theirs);
        let base_theirs = BoxedUint::from_be_slice(base, bits).unwrap();
        let power = BoxedMontyForm::new(base_theirs, &params).pow(&BoxedUint::from(exponent));
        let expected = power.retrieve().to_be_bytes();
        let ours = Modulus::new(modulus).unwrap().power(base, exponent);
        let leading = ours.len() - modulus.len();
        assert!(ours[..leading].iter().all(|octet| *octet == 0));
        let expected = &expected[expected.len() - modulus.len()..];
        assert_eq!(ours[leading..], *expected, "{base:x?}^{exponent} % {modulus:x?}");
    }

    #[test]
    fn makes_the_powers_that_crypto_bigint_makes() {
        let mut random = Random(0xC0DE_5167);
        let mut compared = 0;
        for bits in [2048, 2049, 2055, 2080, 3072, 3073, 4096, 4097, 6143, 8191, 8192] {
            for round in 0..20 {
                let modulus = modulus(bits, round, &mut random);
                // Octets below the modulus's are a number below it.
                let mut below = random.octets(modulus.len());
                below[0] = 0;
                let mut smaller = modulus.clone();
                *smaller.last_mut().unwrap() -= 1;
                let mut one = vec![0; modulus.len()];
                *one.last_mut().unwrap() = 1;
                let runs = with_runs(below.clone(), &mut random);
                for base in [&smaller, &below, &runs, &one, &vec![0; modulus.len()]] {
                    for exponent in [3, 17, 65_537, (1 << 33) - 1] {
                        let is_slow = bits > 4096 && exponent > 65_537 && round > 3;
                        if base < &modulus && !is_slow {
                            assert_same_power(&modulus, base, exponent);
                            compared += 1;
                        }
                    }
                }
            }
        }
        assert!(compared > 3500, "{compared}");
    }

    fn power(base: u128, exponent: u64, modulus: u128) -> u128 {
        let modulus = Modulus::new(&modulus.to_be_bytes()).unwrap();
        let octets = modulus.power(&base.to_be_bytes(), exponent);
        octets.iter().fold(0, |number, octet| number << 8 | u128::from(*octet))
    }

    /// The same by adding alone.
    fn slow_power(base: u128, exponent: u64, modulus: u128) -> u128 {
        let add = |a: u128, b: u128| if a >= modulus - b { a - (modulus - b) } else { a + b };
        let multiply = |a: u128, b: u128| {
            (0..128).rev().fold(0, |sum, place| {
                let sum = add(sum, sum);
                if b >> place & 1 == 1 { add(sum, a) } else { sum }
            })
        };
        (0..exponent).fold(1 % modulus, |power, _| multiply(power, base))
    }

    #[test]
    fn makes_the_powers_that_adding_makes() {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let mut next = || u128::from(random.next());
        for round in 0..300 {
            let random = next() << 64 | next();
            let modulus = match round % 5 {
                0 => u128::MAX - (random & 0xFE),
                1 => 1 << 127 | 1 | (random & 0xFFFF_0000),
                2 => (random >> (random & 0x7F)) | 1,
                3 => 0xFFFF_FFFF_0000_0000_FFFF_FFFF_0000_0001 | random << 96,
                _ => random | 1,
            };
            let base = match round % 3 {
                0 => modulus - 1,
                1 => next() % modulus,
                _ => (next() << 64 | next()) % modulus,
            };
            for exponent in [1, 2, 3, 17] {
                let expected = slow_power(base, exponent, modulus);
                assert_eq!(
                    power(base, exponent, modulus),
                    expected,
                    "{base}^{exponent} % {modulus}"
                );
            }
        }
    }

    #[test]
    fn even_moduli_and_zero_are_refused() {
        assert!(Modulus::new(&[2]).is_none() && Modulus::new(&[0, 0]).is_none());
        assert!(Modulus::new(&[]).is_none());
    }
}
