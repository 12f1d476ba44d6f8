//! Each target over its seeds and what becomes of them: the same inputs each time, so that what fails
//! here fails everywhere.

use std::iter;
use std::path::Path;

use signet::builtin;

/// How many inputs are made of the seeds of a target.
const INPUTS: u64 = 4_000;

/// As [`INPUTS`], for the target that takes milliseconds for each.
const COMPONENTS: u64 = 300;

fn text(path: &str) -> Vec<u8> {
    builtin::file(Path::new(path)).unwrap().to_vec()
}

#[test]
fn manifests_are_read_or_refused_at_a_place() {
    let seeds = [
        text("signet.toml"),
        text("guest-producer/spin.toml"),
        text("guest-consumer/spin.toml"),
    ];
    feed(super::manifest, &seeds, INPUTS);
}

#[test]
fn routes_answer_alike_in_any_order() {
    let seeds = [
        "/...\n/a/...\n/a/:x\n/a/b\n/a/b/...\n/:x/b\n/a\n/a/b/c",
        "/users/:id/keys/:key/...\n/users/:id\n/*\n/users/7/keys/a%2Fb/x/y",
    ];
    feed(super::router, &seeds.map(Vec::from), INPUTS);
}

#[test]
fn templates_are_read_or_refused() {
    let seeds = [
        "http://localhost:{{ port }}",
        "{{one}}{{  two  }}",
        "}} {a} {{ b_c }",
    ];
    feed(super::template, &seeds.map(Vec::from), INPUTS);
}

#[test]
fn allow_lists_allow_what_an_entry_allows() {
    let seeds = [
        "https://*.example.com:443\nhttp://localhost:3000..4000\nhttps a.example.com 443",
        "*://*:*\nhttp://10.0.0.0/8:80\nhttp://[::1]:80\nhttp://self\nhttp [::1] 80",
    ];
    feed(super::allow_list, &seeds.map(Vec::from), INPUTS);
}

#[test]
fn components_are_linked_or_refused() {
    let whole = [&[0][..], builtin::component("hmac").unwrap()].concat();
    let seeds = [
        whole,
        vec![1, 0, 0, 4, 0xd],
        vec![2, 0, 1, 0, 0],
        vec![3, 0, 2, 0, 0],
    ];
    feed(super::component, &seeds, COMPONENTS);
}

/// Feeds a target its seeds as they are, and this many inputs made of them. If it panics, the number of
/// the input is in the output.
fn feed(target: fn(&[u8]), seeds: &[Vec<u8>], inputs: u64) {
    seeds.iter().for_each(|seed| target(seed));
    for number in 0..inputs {
        let mut draw = Draw(number);
        let mut input = seeds[draw.below(seeds.len())].clone();
        for _ in 0..=draw.below(4) {
            mutate(&mut input, seeds, &mut draw);
        }
        println!("input {number}");
        target(&input);
    }
}

/// One change of the kinds that fuzzers make.
fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], draw: &mut Draw) {
    let from = draw.below(input.len() + 1);
    let to = (from + draw.below(16)).min(input.len());
    match draw.below(6) {
        // Bytes change, go, come, come twice, come from elsewhere; the rest is cut off.
        0 => input[from..to]
            .iter_mut()
            .take(1)
            .for_each(|byte| *byte ^= 1 << draw.below(8)),
        1 => drop(input.drain(from..to)),
        2 => {
            let new: Vec<u8> = iter::repeat_with(|| draw.byte()).take(4).collect();
            drop(input.splice(from..from, new));
        }
        3 => {
            let piece = input[from..to].to_vec();
            drop(input.splice(from..from, piece));
        }
        4 => {
            let other = &seeds[draw.below(seeds.len())];
            let start = draw.below(other.len());
            let end = (start + draw.below(32)).min(other.len());
            drop(input.splice(from..to, other[start..end].iter().copied()));
        }
        _ => input.truncate(from.max(1)),
    }
}

/// Numbers that look drawn and are the same each time: SplitMix64.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, which is not zero.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Half of them are of the characters that manifests, routes and templates are made of.
    fn byte(&mut self) -> u8 {
        const MARKS: &[u8] = b"{}[]/:.*=\"'\n ,_-#\\";
        match self.below(2) {
            0 => MARKS[self.below(MARKS.len())],
            _ => self.next() as u8,
        }
    }
}
