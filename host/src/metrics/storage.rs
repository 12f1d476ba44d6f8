//! How large the files are that guests store in. Comes in: paths; goes out: their sizes, read when somebody
//! asks. Never opens a file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use super::Labels;

/// One file, with the write-ahead log beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The app that stores in it.
    pub app: String,
    /// What is stored: `sqlite` or `key-value`.
    pub kind: &'static str,
    /// Its label.
    pub label: String,
    /// Where it is.
    pub path: PathBuf,
}

/// All files of an app.
#[derive(Debug, Clone, Default)]
pub(super) struct Files(pub(super) Arc<Mutex<Vec<File>>>);

impl prometheus_client::collector::Collector for Files {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let files = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if files.is_empty() {
            return Ok(());
        }
        let mut metric = encoder.encode_descriptor(
            "storage_bytes",
            "Size of a database or store, its write-ahead log included",
            None,
            MetricType::Gauge,
        )?;
        for file in files {
            let mut log = file.path.clone().into_os_string();
            log.push("-wal");
            let size = size(&file.path).saturating_add(size(Path::new(&log)));
            let labels: Labels = vec![
                ("app", file.app),
                ("kind", file.kind.to_owned()),
                ("label", file.label),
            ];
            ConstGauge::new(i64::try_from(size).unwrap_or(i64::MAX))
                .encode(metric.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// What is not there takes no place.
fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |data| data.len())
}
