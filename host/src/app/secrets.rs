//! Values that the host makes itself, such as the enrolment token: 32 random letters and digits, made at
//! the first start and kept in the state folder. Never shown, and wiped where they are dropped.

use std::io::{self, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::file::private;

const LENGTH: usize = 32;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The kept value of the variable `name`, made now if there is none yet.
pub(super) fn kept_or_made(state_dir: &Path, name: &str) -> io::Result<Zeroizing<String>> {
    let folder = state_dir.join("variables");
    private::create_folder(&folder)?;
    let path = folder.join(name);
    match std::fs::read_to_string(&path) {
        Ok(value) if !value.is_empty() => return Ok(Zeroizing::new(value)),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let value = random_text()?;
    // A temporary file is its owner's alone and replaces the old one whole.
    let mut file = tempfile::NamedTempFile::new_in(&folder)?;
    file.write_all(value.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(value)
}

fn random_text() -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(LENGTH));
    while text.len() < LENGTH {
        let mut bytes = Zeroizing::new([0; 64]);
        getrandom::fill(bytes.as_mut()).map_err(io::Error::other)?;
        // 248 is the largest multiple of 62 in a byte: what lies above would favour some letters.
        let missing = LENGTH - text.len();
        let unbiased = bytes.iter().filter(|byte| **byte < 248);
        text.extend(
            unbiased
                .map(|byte| char::from(ALPHABET[usize::from(*byte % 62)]))
                .take(missing),
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let first = kept_or_made(folder.path(), "token").unwrap();
        assert_eq!(first.len(), LENGTH);
        assert!(first.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(kept_or_made(folder.path(), "token").unwrap(), first);
        assert_ne!(kept_or_made(folder.path(), "other").unwrap(), first);
    }

    #[test]
    fn a_kept_value_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        kept_or_made(folder.path(), "token").unwrap();
        let mode = std::fs::metadata(folder.path().join("variables/token"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0);
    }
}
