//! Request bodies: one JSON object, property names to the letter.
//!
//! The service compares property names with regard to case; an unknown or wrongly spelled one is
//! `InvalidRequestBody`, a missing one `MissingRequiredParameter`.

use serde_json::{Map, Value};

use crate::emulator::call::Call;
use crate::emulator::error::ApiError;

/// A body that is an object with known properties only.
#[derive(Debug)]
pub struct Body(Map<String, Value>);

impl Body {
    /// Reads a body; an empty one is an object without properties.
    ///
    /// # Errors
    /// `InvalidRequestBody` when it is no JSON object or has a property that is not allowed.
    pub fn read(call: &Call<'_>, allowed: &[&str]) -> Result<Self, ApiError> {
        let body = Self::object(call)?;
        match body.0.keys().find(|key| !allowed.contains(&key.as_str())) {
            Some(key) => Err(invalid(format!(
                "Request body is incorrect: the property '{key}' is not known here"
            ))),
            None => Ok(body),
        }
    }

    /// Reads a body with whatever properties it has.
    ///
    /// # Errors
    /// `InvalidRequestBody` when it is no JSON object.
    pub fn object(call: &Call<'_>) -> Result<Self, ApiError> {
        if call.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(Map::new()));
        }
        // A byte order mark is what some clients begin with.
        let bytes = call.body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(call.body);
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            _ => Err(invalid("Request body is incorrect")),
        }
    }

    /// Whether every property is one of those.
    #[must_use]
    pub fn only(&self, allowed: &[&str]) -> bool {
        self.0.keys().all(|key| allowed.contains(&key.as_str()))
    }

    /// Whether a property is there, null or not.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A property that is not null.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// An optional text.
    ///
    /// # Errors
    /// `InvalidRequestBody` when it is something else.
    pub fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => {
                Err(invalid(format!("Request body is incorrect: '{name}' must be a string")))
            }
        }
    }

    /// A text that must be there and not be blank.
    ///
    /// # Errors
    /// `MissingRequiredParameter` or `InvalidRequestBody`.
    pub fn required(&self, name: &str) -> Result<&str, ApiError> {
        let text = self.text(name)?.filter(|text| !text.trim().is_empty());
        text.ok_or_else(|| missing(name))
    }

    /// One of several words, in the service's spelling.
    ///
    /// # Errors
    /// `InvalidInput` for another word, `InvalidRequestBody` for something that is no text.
    pub fn word(
        &self,
        name: &str,
        words: &[&'static str],
    ) -> Result<Option<&'static str>, ApiError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
            Some(word) => Ok(Some(word)),
            None => Err(ApiError::bad(
                "InvalidInput",
                format!(
                    "'{text}' is not a valid value for '{name}', expected {}",
                    words.join(", ")
                ),
            )),
        }
    }

    /// A list of texts, if there is one.
    ///
    /// # Errors
    /// `InvalidRequestBody` when it is something else.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<&str>>, ApiError> {
        let wrong =
            || invalid(format!("Request body is incorrect: '{name}' must be a list of strings"));
        match self.get(name) {
            None => Ok(None),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().ok_or_else(wrong))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(wrong()),
        }
    }
}

/// 400 `InvalidRequestBody`.
pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad("InvalidRequestBody", message)
}

/// 400 `MissingRequiredParameter`.
pub fn missing(name: &str) -> ApiError {
    ApiError::bad("MissingRequiredParameter", format!("Required parameter '{name}' is missing"))
}
