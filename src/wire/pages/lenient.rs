//! Reading a field as what it should be, without ever failing over what it is.
//!
//! A strict type error would end the whole page. Here a value of another type is skipped and the
//! field says `Wrong`, so that only its row is lost. Errors that remain are those of JSON itself.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::model::{AvStatus, DeviceId, DeviceValue, Exposure, Health, Onboarding, Risk};
use crate::wire::pages::date::parse_date;

/// A field of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Field<T> {
    /// Missing or null.
    #[default]
    Unset,
    /// Of another type, or a text that makes no sense there.
    Wrong,
    /// Read.
    Is(T),
}

impl<T> Field<T> {
    pub(crate) fn get(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Unset | Self::Wrong => None,
        }
    }

    /// Takes the value and remembers a wrong one.
    pub(crate) fn note(self, wrong: &mut bool) -> Option<T> {
        *wrong |= matches!(self, Self::Wrong);
        self.get()
    }
}

/// What a field may be read from; by default nothing.
pub(crate) trait FromJson<'de>: Sized {
    fn from_text(_text: &str) -> Option<Self> {
        None
    }
    fn from_borrowed(text: &'de str) -> Option<Self> {
        Self::from_text(text)
    }
    fn from_number(_number: i64) -> Option<Self> {
        None
    }
    fn from_bool(_value: bool) -> Option<Self> {
        None
    }
}

impl<'de> FromJson<'de> for Cow<'de, str> {
    fn from_text(text: &str) -> Option<Self> {
        Some(Cow::Owned(text.to_owned()))
    }
    fn from_borrowed(text: &'de str) -> Option<Self> {
        Some(Cow::Borrowed(text))
    }
}

impl FromJson<'_> for DeviceId {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self::parse(text))
    }
}

impl FromJson<'_> for Timestamp {
    fn from_text(text: &str) -> Option<Self> {
        parse_date(text)
    }
}

/// Numbers come as text now and then (`rbacGroupId` is documented as one).
impl FromJson<'_> for i64 {
    fn from_text(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }
    fn from_number(number: i64) -> Option<Self> {
        Some(number)
    }
}

impl FromJson<'_> for bool {
    fn from_text(text: &str) -> Option<Self> {
        match text {
            "true" | "True" => Some(true),
            "false" | "False" => Some(false),
            _ => None,
        }
    }
    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

/// Words of open sets: the exact spelling is tried first, an undocumented word is the neutral one.
macro_rules! words {
    ($($kind:ident),+) => {
        $(impl FromJson<'_> for $kind {
            fn from_text(text: &str) -> Option<Self> {
                let exact = Self::ALL.iter().find(|member| member.wire() == text);
                Some(exact.copied().unwrap_or_else(|| Self::from_wire(text)))
            }
        })+
    };
}
words!(Health, Risk, Exposure, DeviceValue, Onboarding, AvStatus);

impl<'de, T: FromJson<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(Scalar(PhantomData))
    }
}

struct Scalar<T>(PhantomData<T>);

fn field<T>(value: Option<T>) -> Field<T> {
    value.map_or(Field::Wrong, Field::Is)
}

impl<'de, T: FromJson<'de>> Visitor<'de> for Scalar<T> {
    type Value = Field<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Field::Unset)
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(field(T::from_borrowed(text)))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(field(T::from_text(text)))
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(field(T::from_bool(value)))
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(field(T::from_number(number)))
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(field(i64::try_from(number).ok().and_then(T::from_number)))
    }
    fn visit_f64<E: Error>(self, _number: f64) -> Result<Self::Value, E> {
        Ok(Field::Wrong)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::Wrong)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Wrong)
    }
}

/// A key of an object, borrowed when nothing in it is escaped.
pub(crate) struct Key<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E: Error>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        json.deserialize_str(KeyVisitor)
    }
}

/// An object that is read field by field into one buffer, which serves row after row.
pub(crate) trait Row<'de> {
    /// Makes the buffer as good as new.
    fn reset(&mut self);
    /// Reads the value of a key, or skips it; a wrong value marks the row.
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;
}

/// Reads one object into a row; the answer is whether it was one.
pub(crate) struct Object<'r, R>(pub(crate) &'r mut R);

impl<'de, R: Row<'de>> DeserializeSeed<'de> for Object<'_, R> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        self.0.reset();
        json.deserialize_any(self)
    }
}

/// What is not an object is skipped.
macro_rules! nothing_else {
    ($value:expr) => {
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok($value(Field::Unset))
        }
        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($value(Field::Wrong))
        }
        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($value(Field::Wrong))
        }
        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($value(Field::Wrong))
        }
        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($value(Field::Wrong))
        }
        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok($value(Field::Wrong))
        }
    };
}

impl<'de, R: Row<'de>> Visitor<'de> for Object<'_, R> {
    type Value = bool;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            self.0.field(&key, &mut map)?;
        }
        Ok(true)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }
    nothing_else!(|_: Field<()>| false);
}

/// Reads a list of objects through one buffer; `take` is given none for what is not an object.
pub(crate) struct Objects<'r, R, F> {
    pub(crate) row: &'r mut R,
    pub(crate) take: F,
}

impl<'de, R: Row<'de>, F: FnMut(Option<&mut R>)> DeserializeSeed<'de> for Objects<'_, R, F> {
    type Value = Field<()>;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, R: Row<'de>, F: FnMut(Option<&mut R>)> Visitor<'de> for Objects<'_, R, F> {
    type Value = Field<()>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Self::Value, A::Error> {
        while let Some(is_object) = seq.next_element_seed(Object(&mut *self.row))? {
            (self.take)(is_object.then_some(&mut *self.row));
        }
        Ok(Field::Is(()))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Wrong)
    }
    nothing_else!(std::convert::identity);
}

/// Appends the elements of a list of scalars; nulls are left out, a wrong one makes the list wrong.
pub(crate) struct List<'r, T>(pub(crate) &'r mut Vec<T>);

impl<'de, T: FromJson<'de>> DeserializeSeed<'de> for List<'_, T> {
    type Value = Field<()>;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, T: FromJson<'de>> Visitor<'de> for List<'_, T> {
    type Value = Field<()>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut wrong = false;
        while let Some(element) = seq.next_element::<Field<T>>()? {
            self.0.extend(element.note(&mut wrong));
        }
        Ok(if wrong { Field::Wrong } else { Field::Is(()) })
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Wrong)
    }
    nothing_else!(std::convert::identity);
}
