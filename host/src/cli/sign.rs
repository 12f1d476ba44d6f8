//! `signet sign` and `signet verify`: the hmac component on standard input.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::Failure;
use crate::runtime::signer::Signer;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  printf 'Hi' | signet sign --key secret")]
pub(super) struct SignArguments {
    #[command(flatten)]
    key: Key,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  printf 'Hi' | signet verify --key secret --tag 9E2C...")]
pub(super) struct VerifyArguments {
    #[command(flatten)]
    key: Key,
    /// The tag: 64 hexadecimal digits.
    #[arg(long)]
    tag: String,
}

#[derive(Args)]
struct Key {
    /// The key. Other users of this machine can see arguments: prefer the environment.
    #[arg(long, env = "SIGNET_KEY", hide_env_values = true)]
    key: String,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

pub(super) fn sign(arguments: &SignArguments) -> Result<ExitCode, Failure> {
    let data = standard_input()?;
    let tag = Signer::new()
        .and_then(|mut signer| signer.sign(&data, arguments.key.key.as_bytes()))
        .map_err(anyhow::Error::from)?
        .map_err(|refused| Failure::input(anyhow::Error::msg(refused)))?;
    println!("{}", String::from_utf8_lossy(&tag));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn verify(arguments: &VerifyArguments) -> Result<ExitCode, Failure> {
    let data = standard_input()?;
    let holds = Signer::new()
        .and_then(|mut signer| {
            signer.verify(
                &data,
                arguments.key.key.as_bytes(),
                arguments.tag.as_bytes(),
            )
        })
        .map_err(anyhow::Error::from)?;
    if holds {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("the tag is not that of this data under this key");
    Ok(ExitCode::from(1))
}

fn standard_input() -> anyhow::Result<Vec<u8>> {
    let mut data = Vec::new();
    std::io::stdin()
        .read_to_end(&mut data)
        .context("standard input cannot be read")?;
    Ok(data)
}
