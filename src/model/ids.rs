//! Identifiers as types of their own, so that a device id is never passed where an action id is due.
//!
//! None of them checks more than the service guarantees: the documentation shows device ids of 40
//! and, once, of 32 hexadecimal characters, and alert ids are free text.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(#[schemars(with = "String")] Arc<str>);

        impl $name {
            /// The id as it was read.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(Arc::from(text))
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

text_id!(
    /// A machine action's id, a GUID in every capture seen.
    ActionId
);
text_id!(
    /// An alert's id (`da637…_-961…`); not a GUID, and to be percent-encoded in paths.
    AlertId
);
text_id!(
    /// An incident's id: digits.
    IncidentId
);
text_id!(
    /// `metadata.name` of a policy; unique per kind in a workspace.
    PolicyName
);
text_id!(
    /// `id` of the workspace: it marks everything we own in a tenant.
    WorkspaceId
);
text_id!(
    /// One apply.
    RunId
);
text_id!(
    /// One change of a plan: twelve hexadecimal digits, the same for the same change of the same plan.
    ChangeId
);

/// A device id. Twenty-byte hexadecimal ids, the usual case, are kept as bytes: 24 bytes in all.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(Repr);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Repr {
    Sha1([u8; 20]),
    Text(Arc<str>),
}

impl DeviceId {
    /// Reads an id; case is folded for the usual hexadecimal form, everything else is kept.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut bytes = [0u8; 20];
        if text.len() == 40 && decode_hex(text.as_bytes(), &mut bytes) {
            Self(Repr::Sha1(bytes))
        } else {
            Self(Repr::Text(Arc::from(text)))
        }
    }

    /// Bytes that identify the device, for hashing into waves and offsets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Sha1(bytes) => bytes,
            Repr::Text(text) => text.as_bytes(),
        }
    }
}

fn decode_hex(text: &[u8], out: &mut [u8; 20]) -> bool {
    let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for (pair, slot) in text.chunks_exact(2).zip(out.iter_mut()) {
        let [high, low] = pair else { return false };
        match (digit(*high), digit(*low)) {
            (Some(high), Some(low)) => *slot = high << 4 | low,
            _ => return false,
        }
    }
    true
}

/// A byte as two hexadecimal digits, lower case.
fn hex(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|half| if half < 10 { b'0' + half } else { b'a' + half - 10 })
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Sha1(bytes) => {
                // One piece of text rather than twenty: every row of a plan shows an id.
                let mut text = [b'0'; 40];
                for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
                    pair.copy_from_slice(&hex(*byte));
                }
                f.write_str(std::str::from_utf8(&text).unwrap_or_default())
            }
            Repr::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Serialize for DeviceId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = DeviceId;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a device id")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<DeviceId, E> {
                Ok(DeviceId::parse(text))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

impl schemars::JsonSchema for DeviceId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DeviceId".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}
