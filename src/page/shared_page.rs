//! Pages with the same bytes for everybody, compressed once and kept.

use std::sync::{Arc, Mutex, PoisonError};

use super::encoded::EncodedContent;
use crate::error::Error;

/// The last answer of a page that shows no login and nothing that a visitor typed.
///
/// Other pages are never compressed: the length of a page that has a secret beside what an attacker can choose would say
/// how much of it the attacker has guessed (BREACH).
#[derive(Debug, Default)]
pub struct SharedPage(Mutex<Option<Arc<EncodedContent>>>);

impl SharedPage {
    /// Renders at the first request, for a page that never changes.
    pub fn once(
        &self,
        media_type: &'static str,
        render: impl FnOnce() -> Result<String, Error>,
    ) -> Result<Arc<EncodedContent>, Error> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = &*last {
            return Ok(last.clone());
        }
        let content = Arc::new(EncodedContent::gzipped(media_type, render()?));
        *last = Some(content.clone());
        Ok(content)
    }

    /// Compresses the text, unless it is that of the last request: to compare it takes 2 µs, to compress it up to 1,000.
    pub fn latest(&self, media_type: &'static str, text: String) -> Arc<EncodedContent> {
        // Locked while it compresses: requests that come together compress the text once.
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = &*last
            && last.plain().bytes == text
        {
            return last.clone();
        }
        let content = Arc::new(EncodedContent::gzipped(media_type, text));
        *last = Some(content.clone());
        content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_never_changes_is_rendered_once_and_an_error_is_not_kept() {
        let page = SharedPage::default();
        assert!(page.once("text/plain", || Err(Error::NotFound)).is_err());
        let first = page.once("text/plain", || Ok("first ".repeat(9))).expect("a page");
        let again = page.once("text/plain", || Err(Error::NotFound)).expect("the same page");
        assert!(Arc::ptr_eq(&first, &again));
    }

    #[test]
    fn a_page_is_compressed_again_when_its_text_changes_and_only_then() {
        let page = SharedPage::default();
        let first = page.latest("text/plain", "up ".repeat(9));
        assert!(Arc::ptr_eq(&first, &page.latest("text/plain", "up ".repeat(9))));
        let changed = page.latest("text/plain", "down ".repeat(9));
        assert_eq!(changed.plain().bytes, "down ".repeat(9));
        assert_eq!(changed.representations().count(), 2);
        assert_eq!(page.latest("text/plain", "up".to_owned()).representations().count(), 1, "gzip makes this longer");
    }
}
