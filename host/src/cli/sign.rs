//! `signet sign` and `signet verify`: the hmac component on standard input. Comes in: a scheme, keys and what the
//! headers said; goes out: a signature, or an exit code and a reason. Never signs by itself.

mod secret;

use std::io::Read as _;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};

use super::Failure;
use crate::runtime::signer::Signer;
use crate::runtime::signer::senders::{self, Sender};
use crate::runtime::signer::standard::{self, Key};
use crate::runtime::signer::types::{Clock, KeyError, KeyFault, Refusal};
use secret::Secrets;

/// How a webhook is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Scheme {
    /// X-Signature: 64 hexadecimal digits, of the body.
    #[default]
    Hex,
    /// Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature.
    Standard,
    /// X-Hub-Signature-256.
    Github,
    /// X-Shopify-Hmac-SHA256.
    Shopify,
    /// X-Slack-Signature and X-Slack-Request-Timestamp.
    Slack,
    /// Stripe-Signature.
    Stripe,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    printf 'Hi' | SIGNET_SECRET=secret signet sign\n  \
    signet sign --scheme standard --secret-file key --id msg_1 --timestamp 1614265330 <body")]
pub(super) struct SignArguments {
    /// How it is signed.
    #[arg(long, value_enum, default_value_t)]
    scheme: Scheme,
    #[command(flatten)]
    secrets: Secrets,
    /// The webhook's id (standard).
    #[arg(long)]
    id: Option<String>,
    /// When it is signed, in seconds since 1970 (standard, slack, stripe).
    #[arg(long, value_name = "SECONDS")]
    timestamp: Option<u64>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    printf 'Hi' | SIGNET_SECRET=secret signet verify --signature 9E2C...\n  \
    signet verify --scheme standard --secret-file key --id msg_1 --timestamp 1614265330 \\\n    \
    --signature 'v1,g0hM...' <body\n\n\
    Exit codes: 0 it is right; 1 it is not, and standard error says why; 2 something here cannot be used.")]
pub(super) struct VerifyArguments {
    /// How it was signed.
    #[arg(long, value_enum, default_value_t)]
    scheme: Scheme,
    #[command(flatten)]
    secrets: Secrets,
    /// A public key, whpk_... (standard).
    #[arg(long, value_name = "KEY")]
    public: Vec<String>,
    /// The header with the signature, as it came.
    #[arg(long, alias = "tag", allow_hyphen_values = true)]
    signature: String,
    /// The header with the id, as it came (standard).
    #[arg(long, allow_hyphen_values = true)]
    id: Option<String>,
    /// The header with the timestamp, as it came (standard, slack; stripe has it in the signature's header).
    #[arg(long, allow_hyphen_values = true)]
    timestamp: Option<String>,
    /// The present, in seconds since 1970; by default the clock's.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// How far the timestamp may be from now, in both directions.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    tolerance: u64,
}

pub(super) fn sign(arguments: &SignArguments) -> Result<ExitCode, Failure> {
    let scheme = arguments.scheme;
    let secrets = arguments.secrets.read(true)?;
    scheme.check(
        "--id",
        arguments.id.is_some(),
        scheme.has_id(),
        scheme.has_id(),
    )?;
    let timed = scheme.has_timestamp();
    scheme.check("--timestamp", arguments.timestamp.is_some(), timed, timed)?;
    if scheme != Scheme::Standard && secrets.len() > 1 {
        return Err(Failure::input(anyhow!(
            "--scheme {} signs with one secret, and {} are given: sign once with each",
            scheme.name(),
            secrets.len()
        )));
    }
    let secret = secrets.first().map_or(&b""[..], |secret| secret.as_bytes());
    let data = standard_input()?;
    let mut signer = Signer::new().map_err(anyhow::Error::from)?;
    let signed = match scheme.sender() {
        Some(sender) => signer.sign_as(sender, arguments.timestamp, &data, secret),
        None if scheme == Scheme::Hex => return sign_hex(&mut signer, &data, secret),
        None => {
            let (id, at) = (arguments.id.as_deref(), arguments.timestamp);
            let keys: Vec<_> = secrets.into_iter().map(Key::Text).collect();
            signer.sign_standard(id.unwrap_or_default(), at.unwrap_or_default(), &data, &keys)
        }
    };
    match signed.map_err(anyhow::Error::from)? {
        Ok(signature) => super::print(&format!("{signature}\n"))?,
        Err(reason) => {
            let words = signer
                .explain_sign_error(reason)
                .map_err(anyhow::Error::from)?;
            return Err(Failure::input(anyhow::Error::msg(words)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn sign_hex(signer: &mut Signer, data: &[u8], secret: &[u8]) -> Result<ExitCode, Failure> {
    let tag = signer
        .sign(data, secret)
        .map_err(anyhow::Error::from)?
        .map_err(|refused| Failure::input(anyhow::Error::msg(refused)))?;
    super::print(&format!("{}\n", String::from_utf8_lossy(&tag)))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn verify(arguments: &VerifyArguments) -> Result<ExitCode, Failure> {
    let scheme = arguments.scheme;
    scheme.check(
        "--public",
        !arguments.public.is_empty(),
        scheme == Scheme::Standard,
        false,
    )?;
    scheme.check(
        "--id",
        arguments.id.is_some(),
        scheme.has_id(),
        scheme.has_id(),
    )?;
    let needed = scheme.has_timestamp() && scheme != Scheme::Stripe;
    scheme.check(
        "--timestamp",
        arguments.timestamp.is_some(),
        scheme.has_timestamp(),
        needed,
    )?;
    let secrets = arguments.secrets.read(arguments.public.is_empty())?;
    let clock = Clock {
        now: arguments.now.map_or_else(now, Ok)?,
        tolerance: arguments.tolerance,
    };
    let data = standard_input()?;
    let mut signer = Signer::new().map_err(anyhow::Error::from)?;
    let refused = match scheme.sender() {
        Some(sender) => {
            let keys: Vec<_> = secrets.into_iter().map(String::into_bytes).collect();
            let headers = arguments.of_sender();
            signer
                .verify_from(sender, &headers, &data, &keys, clock)
                .map(Result::err)
        }
        None if scheme == Scheme::Hex => {
            verify_hex(&mut signer, &data, &secrets, &arguments.signature)
        }
        None => {
            let keys = secrets.iter().chain(&arguments.public);
            let keys: Vec<_> = keys.cloned().map(Key::Text).collect();
            signer
                .verify_standard(&arguments.of_standard(), &data, &keys, clock)
                .map(Result::err)
        }
    };
    let Some(reason) = refused.map_err(anyhow::Error::from)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let words = signer.explain(reason).map_err(anyhow::Error::from)?;
    if matches!(reason, Refusal::BadKey(_)) {
        return Err(Failure::input(anyhow::Error::msg(words)));
    }
    eprintln!("{words}");
    Ok(ExitCode::from(1))
}

/// Of the older interface, which only says yes or no.
fn verify_hex(
    signer: &mut Signer,
    data: &[u8],
    secrets: &[String],
    tag: &str,
) -> wasmtime::Result<Option<Refusal>> {
    for (index, secret) in secrets.iter().enumerate() {
        if secret.is_empty() {
            let index = index.try_into().unwrap_or(u32::MAX);
            let fault = KeyFault::Empty;
            return Ok(Some(Refusal::BadKey(KeyError { index, fault })));
        }
        if signer.verify(data, secret.as_bytes(), tag.as_bytes())? {
            return Ok(None);
        }
    }
    Ok(Some(Refusal::NoMatch))
}

impl VerifyArguments {
    fn of_standard(&self) -> standard::Headers {
        standard::Headers {
            id: self.id.clone(),
            timestamp: self.timestamp.clone(),
            signature: Some(self.signature.clone()),
        }
    }

    fn of_sender(&self) -> senders::Headers {
        let mut signature = self.signature.clone();
        if let (Scheme::Stripe, Some(timestamp)) = (self.scheme, &self.timestamp) {
            // Who has taken the header apart gives the two apart; two that differ are refused by the component.
            let item = format!("t={timestamp}");
            if !signature.split(',').any(|own| own == item) {
                signature = format!("{item},{signature}");
            }
        }
        senders::Headers {
            signature: Some(signature),
            timestamp: self.timestamp.clone(),
        }
    }
}

impl Scheme {
    /// The word that is typed.
    fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    fn sender(self) -> Option<Sender> {
        match self {
            Self::Hex | Self::Standard => None,
            Self::Github => Some(Sender::Github),
            Self::Shopify => Some(Sender::Shopify),
            Self::Slack => Some(Sender::Slack),
            Self::Stripe => Some(Sender::Stripe),
        }
    }

    fn has_id(self) -> bool {
        self == Self::Standard
    }

    fn has_timestamp(self) -> bool {
        [Self::Standard, Self::Slack, Self::Stripe].contains(&self)
    }

    /// Whether an option that is given has a meaning here, and one that is needed is given.
    fn check(self, option: &str, given: bool, known: bool, needed: bool) -> Result<(), Failure> {
        let name = self.name();
        match (given, known, needed) {
            (true, false, _) => Err(Failure::input(anyhow!(
                "{option} has no meaning for --scheme {name}: leave it out, or name another scheme"
            ))),
            (false, _, true) => Err(Failure::input(anyhow!(
                "--scheme {name} signs more than the body: give {option}, too"
            ))),
            _ => Ok(()),
        }
    }
}

fn now() -> Result<u64, Failure> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock of this machine stands before 1970: give --now");
    Ok(since.map_err(Failure::input)?.as_secs())
}

fn standard_input() -> anyhow::Result<Vec<u8>> {
    let mut data = Vec::new();
    std::io::stdin()
        .read_to_end(&mut data)
        .context("standard input cannot be read")?;
    Ok(data)
}
