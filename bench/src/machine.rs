//! What is measured on. Comes in: `/proc` and `/sys`; goes out: a description for the report, and which half of
//! the CPUs serves while the other generates the load.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::invocation::found;

/// The machine, in words.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cpus: usize,
    pub(crate) memory_mb: u64,
    pub(crate) swap_mb: u64,
    pub(crate) kernel: String,
    pub(crate) system: String,
}

impl Machine {
    /// The one this runs on. What cannot be read is said to be unknown.
    pub(crate) fn here() -> Self {
        let memory = read("/proc/meminfo");
        let megabytes = |key| field(&memory, key).and_then(kib).unwrap_or(0) / 1024;
        let cpu = read("/proc/cpuinfo");
        let system = read("/etc/os-release");
        let unknown = || "unknown".to_owned();
        let name = field(&system, "PRETTY_NAME");
        Self {
            cpu: field(&cpu, "model name").map_or_else(unknown, str::to_owned),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mb: megabytes("MemTotal"),
            swap_mb: megabytes("SwapTotal"),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            system: name.map_or_else(unknown, |name| name.trim_matches('"').to_owned()),
        }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The value of `key: value` or `key=value`.
fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    let value = line.trim_start().strip_prefix([':', '='])?.trim();
    (!value.is_empty()).then_some(value)
}

fn kib(value: &str) -> Option<u64> {
    value.strip_suffix(" kB")?.trim().parse().ok()
}

/// What a program says of its version, in one line.
pub(crate) fn version(program: &std::path::Path) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// Who runs where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Halves {
    /// Of the server, as `taskset -c` writes them; none where nothing is pinned.
    pub(crate) server: Option<String>,
    /// Of the generator, and of whom the server calls.
    pub(crate) generator: Option<String>,
    /// How many CPUs the server has.
    pub(crate) server_count: usize,
    /// How many the generator has.
    pub(crate) generator_count: usize,
}

impl Halves {
    /// Of the CPUs this process may use. Two threads of one core are not parted.
    pub(crate) fn here() -> Self {
        let status = read("/proc/self/status");
        let cpus = field(&status, "Cpus_allowed_list").map_or_else(Vec::new, list);
        if found("taskset").is_none() {
            return Self::none(cpus.len().max(1));
        }
        let core = |cpu: usize| {
            let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
            let siblings = list(read(&path).trim());
            siblings.into_iter().min().unwrap_or(cpu)
        };
        let cores = cpus.iter().map(|cpu| (*cpu, core(*cpu)));
        Self::of(&cores.collect::<Vec<_>>())
    }

    /// Of CPUs and their cores. The first half generates: there the system does more of its own work.
    fn of(cpus: &[(usize, usize)]) -> Self {
        let mut cores: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (cpu, core) in cpus {
            cores.entry(*core).or_default().push(*cpu);
        }
        // Where there is one core with two threads, its threads are what there is.
        let groups: Vec<Vec<usize>> = if cores.len() > 1 {
            cores.into_values().collect()
        } else {
            cpus.iter().map(|(cpu, _)| vec![*cpu]).collect()
        };
        if groups.len() < 2 {
            return Self::none(cpus.len().max(1));
        }
        let (generator, server) = groups.split_at(groups.len() / 2);
        let (generator, server) = (generator.concat(), server.concat());
        let written = |cpus: &[usize]| {
            let cpus: Vec<_> = cpus.iter().map(usize::to_string).collect();
            Some(cpus.join(","))
        };
        Self {
            server: written(&server),
            generator: written(&generator),
            server_count: server.len(),
            generator_count: generator.len(),
        }
    }

    fn none(cpus: usize) -> Self {
        Self {
            server: None,
            generator: None,
            server_count: cpus,
            generator_count: cpus,
        }
    }

    /// In words.
    pub(crate) fn words(&self) -> String {
        match (&self.server, &self.generator) {
            (Some(server), Some(generator)) => format!(
                "the server runs on CPU {server}, the load generator (and whom the server calls) on CPU {generator}"
            ),
            _ => "server and load generator share the CPUs: there is one CPU only, or no taskset"
                .to_owned(),
        }
    }
}

/// `0-2,5` as numbers.
fn list(text: &str) -> Vec<usize> {
    let mut numbers = Vec::new();
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(from), Ok(to)) = (from.trim().parse::<usize>(), to.trim().parse()) {
            numbers.extend(from..=to);
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cpus_are_read() {
        assert_eq!(list("0-2,5"), [0, 1, 2, 5]);
        assert_eq!(list("3"), [3]);
        assert!(list("").is_empty());
    }

    #[test]
    fn two_cpus_are_one_each() {
        let halves = Halves::of(&[(0, 0), (1, 1)]);
        assert_eq!(halves.server.as_deref(), Some("1"));
        assert_eq!(halves.generator.as_deref(), Some("0"));
        assert_eq!((halves.server_count, halves.generator_count), (1, 1));
    }

    #[test]
    fn threads_of_one_core_stay_together() {
        let halves = Halves::of(&[(0, 0), (1, 1), (2, 0), (3, 1)]);
        assert_eq!(halves.generator.as_deref(), Some("0,2"));
        assert_eq!(halves.server.as_deref(), Some("1,3"));
    }

    #[test]
    fn one_cpu_is_shared() {
        assert_eq!(Halves::of(&[(0, 0)]), Halves::none(1));
    }

    #[test]
    fn fields_are_found_in_either_spelling() {
        assert_eq!(field("model name\t: A B\n", "model name"), Some("A B"));
        assert_eq!(
            field("PRETTY_NAME=\"X 1\"\n", "PRETTY_NAME"),
            Some("\"X 1\"")
        );
        assert_eq!(
            field("MemTotal:  2048 kB\n", "MemTotal").and_then(kib),
            Some(2048)
        );
    }
}
