//! Which of many heads a text begins with, without trying each.
//!
//! Sorted, the heads of a text all lie on one chain: the greatest head that is not greater than the
//! text, and the heads of that. One binary search finds where the chain begins, whatever the number
//! of heads. Called by `glob`.

/// Things by the bytes that a text must begin with.
#[derive(Clone, Debug)]
pub(super) struct Heads<T> {
    /// Each once, ascending.
    keys: Vec<Vec<u8>>,
    /// For each key the longest other key that it begins with.
    parents: Vec<Option<usize>>,
    things: Vec<Vec<T>>,
}

impl<T> Heads<T> {
    pub(super) fn new(mut pairs: Vec<(Vec<u8>, T)>) -> Self {
        pairs.sort_by(|left, right| left.0.cmp(&right.0));
        let mut heads = Self { keys: Vec::new(), parents: Vec::new(), things: Vec::new() };
        for (key, thing) in pairs {
            match heads.things.last_mut() {
                Some(things) if heads.keys.last() == Some(&key) => things.push(thing),
                _ => {
                    heads.parents.push(heads.longest(heads.keys.len().checked_sub(1), &key));
                    heads.keys.push(key);
                    heads.things.push(vec![thing]);
                }
            }
        }
        heads
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Everything whose head the text begins with.
    pub(super) fn each(&self, text: &[u8], visit: &mut impl FnMut(&T)) {
        let not_greater = self.keys.partition_point(|key| &**key <= text);
        let mut at = self.longest(not_greater.checked_sub(1), text);
        while let Some(head) = at {
            self.things.get(head).into_iter().flatten().for_each(&mut *visit);
            at = self.parents.get(head).copied().flatten();
        }
    }

    /// The longest key that the text begins with, on the chain from `at` on.
    fn longest(&self, mut at: Option<usize>, text: &[u8]) -> Option<usize> {
        while let Some(head) = at {
            if self.keys.get(head).is_some_and(|key| text.starts_with(key)) {
                break;
            }
            at = self.parents.get(head).copied().flatten();
        }
        at
    }
}
