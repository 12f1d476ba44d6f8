//! What is done to the host: each fault, from the moment it comes until the host serves again. Comes in: a fault; goes
//! out: a host that serves, and in the ledger when it fell. What the host does that it must not is noted there as well.

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::time::sleep;

use crate::apps::APPS;
use crate::cycle::Torture;
use crate::deck::Fault;
use crate::disk;
use crate::host::{Host, Started, fell};
use crate::ledger::Fall;

/// How long a boundary may take to be passed.
const REACH: Duration = Duration::from_millis(1500);

const MINUTE_MS: i64 = 60_000;

/// The boundaries that are passed at a start, whatever is posted.
const AT_START: [&str; 2] = ["recover-written", "prune-written"];

/// Whether a boundary is passed at a start.
pub(crate) fn is_at_start(point: &str) -> bool {
    AT_START.contains(&point)
}

impl Torture {
    /// Does it, somewhere in the middle of the posts.
    pub(crate) async fn hurt(&mut self, fault: Fault) -> Result<()> {
        let moment = Duration::from_millis(self.chance.u64(0..500));
        match fault {
            Fault::Consumers => {}
            Fault::Kill => {
                sleep(moment).await;
                self.fall().await?;
                self.rise().await?;
            }
            Fault::KillTwice => {
                sleep(moment).await;
                self.fall().await?;
                self.rise().await?;
                sleep(Duration::from_millis(self.chance.u64(0..60))).await;
                self.fall().await?;
                self.rise().await?;
            }
            Fault::Stop => {
                sleep(moment).await;
                self.stop().await?;
                self.rise().await?;
            }
            Fault::Point(point) => self.reach(point, moment).await?,
            Fault::DiskFull | Fault::DiskFullKill => {
                sleep(moment).await;
                self.disk.fill(self.chance.u64(0..64 << 10))?;
                sleep(Duration::from_millis(self.chance.u64(200..900))).await;
                if fault == Fault::DiskFullKill {
                    self.fall().await?;
                    // It serves or says why not; either is well, as long as it does afterwards.
                    if let Started::Serves(host) = self.starter.begin(None).await? {
                        self.serves(host);
                    }
                }
                self.disk.free()?;
                if self.host.is_none() {
                    self.rise().await?;
                }
            }
            Fault::ClockAhead => {
                sleep(moment).await;
                self.fall().await?;
                self.starter.ahead += self.chance.i64(1..=10) * MINUTE_MS;
                self.rise().await?;
            }
            Fault::ClockBack => {
                sleep(moment).await;
                self.fall().await?;
                let back = self.chance.i64(1..=5) * MINUTE_MS;
                self.starter.ahead -= back;
                self.rise().await?;
                sleep(Duration::from_millis(300)).await;
                self.fall().await?;
                self.starter.ahead += back;
                self.rise().await?;
            }
            Fault::ReadOnlyFolder => {
                sleep(moment).await;
                self.fall().await?;
                self.disk.read_only(true)?;
                self.refused().await?;
                self.disk.read_only(false)?;
                self.rise().await?;
            }
            Fault::ReadOnlyFile => {
                sleep(moment).await;
                self.fall().await?;
                let file = self.disk.queue(APPS[self.chance.usize(..APPS.len())])?;
                self.disk.cover(&file)?;
                self.refused().await?;
                self.disk.uncover(&file)?;
                self.rise().await?;
            }
            Fault::Cache => {
                sleep(moment).await;
                self.fall().await?;
                self.flip()?;
                self.rise().await?;
            }
        }
        Ok(())
    }

    /// Lets the host fall at a boundary, or at a random moment if it does not come there.
    async fn reach(&mut self, point: &'static str, moment: Duration) -> Result<()> {
        if is_at_start(point) {
            sleep(moment).await;
            self.fall().await?;
            match self
                .starter
                .begin(Some((point, self.chance.u64(1..=2))))
                .await?
            {
                Started::Serves(host) => self.serves(host),
                Started::Ended(status, said) => {
                    ensure!(fell(status), "the host ended with {status}:\n{said}");
                    *self.reached.entry(point).or_default() += 1;
                    return self.rise().await;
                }
            }
        } else if point.starts_with("release") {
            sleep(moment).await;
            self.host.as_ref().context("a host")?.told_to_stop()?;
        }
        let from = self.ledger.now();
        let ended = match &mut self.host {
            Some(host) => host.falls_within(REACH).await?,
            None => None,
        };
        let Some(status) = ended else {
            self.fall().await?;
            return self.rise().await;
        };
        self.place.send_replace(None);
        self.host = None;
        if fell(status) {
            *self.reached.entry(point).or_default() += 1;
            let until = self.ledger.now();
            self.ledger.page().falls.push(Fall { from: until, until });
        } else {
            self.ended(status, from);
        }
        self.rise().await
    }

    /// Kills the host.
    pub(crate) async fn fall(&mut self) -> Result<()> {
        if let Some(host) = self.host.take() {
            let from = self.ledger.now();
            self.place.send_replace(None);
            host.kill().await?;
            let until = self.ledger.now();
            self.ledger.page().falls.push(Fall { from, until });
        }
        Ok(())
    }

    /// Tells the host to stop.
    async fn stop(&mut self) -> Result<()> {
        if let Some(host) = self.host.take() {
            let from = self.ledger.now();
            self.place.send_replace(None);
            let status = host.stop().await?;
            self.ended(status, from);
        }
        Ok(())
    }

    /// The host has ended after it was told to.
    fn ended(&self, status: ExitStatus, from: u64) {
        if !status.success() {
            self.ledger
                .wrong(format!("the host ended with {status} after SIGTERM"));
        }
        let until = self.ledger.now();
        self.ledger.page().falls.push(Fall { from, until });
    }

    /// Starts the host.
    pub(crate) async fn rise(&mut self) -> Result<()> {
        let host = self.starter.start().await?;
        self.serves(host);
        Ok(())
    }

    pub(crate) fn serves(&mut self, host: Host) {
        self.place.send_replace(Some(host.addresses));
        self.host = Some(host);
    }

    /// Starts the host on what it cannot write: it says so, and ends; or it serves for a while, and refuses.
    async fn refused(&mut self) -> Result<()> {
        match self.starter.begin(None).await? {
            Started::Serves(host) => {
                self.serves(host);
                sleep(Duration::from_millis(300)).await;
                self.fall().await
            }
            Started::Ended(status, said) => {
                let said_so = said.to_lowercase().replace('-', "").contains("readonly");
                if status.code() != Some(1) || !said_so {
                    let what = format!("on a read-only disk the host ended with {status}: {said}");
                    self.ledger.wrong(what);
                }
                Ok(())
            }
        }
    }

    /// Changes a byte in the middle of everything that was compiled.
    fn flip(&mut self) -> Result<()> {
        let mut found = Vec::new();
        disk::files(&self.starter.cache(), &mut found)?;
        ensure!(!found.is_empty(), "nothing is in the cache");
        for file in found {
            let mut bytes = std::fs::read(&file)?;
            if !bytes.is_empty() {
                let place = self.chance.usize(..bytes.len());
                bytes[place] ^= 1 << self.chance.u8(..8);
                std::fs::write(&file, bytes)?;
            }
        }
        Ok(())
    }
}
