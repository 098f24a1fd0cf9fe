//! Buffers of 32-bit words as a safetensors file, bit for bit: what is no finite float is kept as it is.

use safetensors::tensor::{Metadata, TensorView, View};
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The words of one buffer.
struct Words<'a> {
    words: &'a [u32],
    shape: [usize; 1],
}

impl View for Words<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::U32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Little-endian, as the format has it.
    fn data(&self) -> Cow<'_, [u8]> {
        match cfg!(target_endian = "little") {
            true => Cow::Borrowed(bytemuck::cast_slice(self.words)),
            false => Cow::Owned(
                self.words
                    .iter()
                    .flat_map(|word| word.to_le_bytes())
                    .collect(),
            ),
        }
    }

    fn data_len(&self) -> usize {
        size_of_val(self.words)
    }
}

/// The file that holds `buffers`. Equal buffers give equal bytes.
///
/// # Errors
/// When names take more room than the format has.
pub(crate) fn words_file<'a>(
    buffers: impl IntoIterator<Item = (&'a str, &'a [u32])>,
) -> Result<Vec<u8>, SafeTensorError> {
    let views = buffers.into_iter().map(|(name, words)| {
        let shape = [words.len()];
        (name, Words { words, shape })
    });
    safetensors::serialize(views, None)
}

/// The buffers in such a file.
///
/// # Errors
/// When it is damaged, or holds something else.
pub(crate) fn read_words_file(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u32>>, SafeTensorError> {
    check_claims(bytes)?;
    let file = SafeTensors::deserialize(bytes)?;
    let mut buffers = BTreeMap::new();
    for (name, view) in file.iter() {
        buffers.insert(name.to_owned(), words(&view)?);
    }
    Ok(buffers)
}

/// Refuses a header that claims more than there is, before sizes are added up.
fn check_claims(bytes: &[u8]) -> Result<(), SafeTensorError> {
    let (length, rest) = bytes
        .split_first_chunk()
        .ok_or(SafeTensorError::HeaderTooSmall)?;
    let (header, data) = usize::try_from(u64::from_le_bytes(*length))
        .ok()
        .and_then(|length| rest.split_at_checked(length))
        .ok_or(SafeTensorError::InvalidHeaderLength)?;
    let header: Metadata =
        serde_json::from_slice(header).map_err(SafeTensorError::InvalidHeaderDeserialization)?;
    match header.data_len() <= data.len() {
        true => Ok(()),
        false => Err(SafeTensorError::MetadataIncompleteBuffer),
    }
}

fn words(view: &TensorView<'_>) -> Result<Vec<u32>, SafeTensorError> {
    if view.dtype() != Dtype::U32 {
        return Err(SafeTensorError::InvalidTensorView(
            view.dtype(),
            view.shape().to_vec(),
            view.data().len(),
        ));
    }
    let (words, _) = view.data().as_chunks();
    Ok(words.iter().map(|&word| u32::from_le_bytes(word)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_whatever_they_are() {
        let words = vec![0, 1, f32::NAN.to_bits() ^ 1, 0xff80_0000, u32::MAX];
        let buffers = BTreeMap::from([("a b".to_owned(), words), ("c".to_owned(), vec![7])]);
        let views = || {
            buffers
                .iter()
                .map(|(name, words)| (name.as_str(), &words[..]))
        };
        let bytes = words_file(views()).expect("fits");
        assert_eq!(words_file(views()).expect("fits"), bytes);
        assert_eq!(read_words_file(&bytes).expect("is whole"), buffers);
        for length in 0..bytes.len() {
            read_words_file(&bytes[..length]).expect_err("is cut short");
        }
    }

    #[test]
    fn a_header_that_claims_more_than_there_is_is_refused_before_the_rest() {
        let header = "{\"a\":{\"dtype\":\"U32\",\"shape\":[10],\"data_offsets\":[0,40]}}";
        let length = (header.len() as u64).to_le_bytes();
        let claims = |bytes: usize| {
            let file = [&length[..], header.as_bytes(), &vec![0; bytes]].concat();
            check_claims(&file)
        };
        assert!(claims(40).is_ok());
        assert!(matches!(
            claims(39),
            Err(SafeTensorError::MetadataIncompleteBuffer)
        ));
    }
}
