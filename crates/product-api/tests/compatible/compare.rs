//! What has vanished or changed since the baseline, and what is new.

use std::collections::HashSet;

/// One sentence for every line of the baseline that is not there any more as it was.
pub(crate) fn broken(baseline: &str, now: &str) -> Vec<String> {
    let there: HashSet<&str> = now.lines().collect();
    let gone = baseline.lines().filter(|line| !there.contains(line));
    gone.map(|was| match now.lines().find(|line| key(line) == key(was)) {
        Some(is) => format!("`{was}` has become `{is}`"),
        None => format!("`{was}` has vanished"),
    })
    .collect()
}

/// The lines that the baseline does not have, changed ones left out.
pub(crate) fn new<'a>(baseline: &str, now: &'a str) -> Vec<&'a str> {
    let known: HashSet<&str> = baseline.lines().map(key).collect();
    now.lines()
        .filter(|line| !known.contains(key(line)))
        .collect()
}

/// What says that two lines are about the same thing: everything before what may not change about it.
fn key(line: &str) -> &str {
    let end = line.find(" = ").or_else(|| line.find(" ("));
    end.map_or(line, |end| &line[..end])
}

#[cfg(test)]
mod tests {
    use prost_types::{
        FileDescriptorSet, OneofDescriptorProto,
        field_descriptor_proto::{Label, Type},
    };

    use super::*;
    use crate::{listing, wire};

    const MESSAGE: &str = "DecreaseStockRequest";

    /// What is said about the wire after `change`.
    fn said(change: impl FnOnce(&mut FileDescriptorSet)) -> (Vec<String>, Vec<String>) {
        let before = listing::of(&wire());
        let mut changed = wire();
        change(&mut changed);
        let after = listing::of(&changed);
        let new = new(&before, &after).into_iter().map(str::to_owned);
        (broken(&before, &after), new.collect())
    }

    fn own(set: &mut FileDescriptorSet) -> &mut prost_types::FileDescriptorProto {
        let own =
            |file: &&mut prost_types::FileDescriptorProto| file.package() == "hotdeal.product.v1";
        set.file.iter_mut().find(own).unwrap()
    }

    fn message(set: &mut FileDescriptorSet) -> &mut prost_types::DescriptorProto {
        let messages = own(set).message_type.iter_mut();
        messages
            .into_iter()
            .find(|message| message.name() == MESSAGE)
            .unwrap()
    }

    #[track_caller]
    fn assert_said(said: &(Vec<String>, Vec<String>), words: &str) {
        let (broken, _) = said;
        assert!(broken.iter().any(|line| line.contains(words)), "{broken:?}");
    }

    #[test]
    fn what_has_vanished_is_named() {
        let field = said(|set| drop(message(set).field.remove(0)));
        assert_said(
            &field,
            "DecreaseStockRequest 1 = string order_id` has vanished",
        );
        let method = said(|set| drop(own(set).service[0].method.pop()));
        assert_said(&method, "` has vanished");
        let value = said(|set| {
            let messages = own(set).message_type.iter_mut();
            let ended = messages
                .into_iter()
                .find(|message| message.name() == "HoldEnded");
            let values = &mut ended.unwrap().enum_type[0].value;
            values.retain(|value| value.name() != "RELEASED");
        });
        assert_said(&value, "Outcome 2 = RELEASED` has vanished");
    }

    #[test]
    fn what_has_changed_is_named_with_what_it_has_become() {
        let kind = said(|set| message(set).field[0].set_type(Type::Bytes));
        assert_said(
            &kind,
            "has become `field hotdeal.product.v1.DecreaseStockRequest 1 = bytes",
        );
        let label = said(|set| message(set).field[0].set_label(Label::Repeated));
        assert_said(&label, "1 = repeated string order_id");
        let name = said(|set| message(set).field[0].name = Some("order".to_owned()));
        assert_said(&name, "1 = string order`");
        let group = said(|set| {
            let message = message(set);
            let index = i32::try_from(message.oneof_decl.len()).unwrap();
            message.oneof_decl.push(OneofDescriptorProto {
                name: Some("who".to_owned()),
                options: None,
            });
            message.field[0].oneof_index = Some(index);
        });
        assert_said(&group, "in oneof who`");
        let stream = said(|set| own(set).service[0].method[0].server_streaming = Some(true));
        assert_said(&stream, "returns (stream ");
    }

    #[test]
    fn what_is_new_breaks_nothing_and_is_named() {
        let (broken, new) = said(|set| {
            let mut field = message(set).field[0].clone();
            field.number = Some(77);
            field.name = Some("note".to_owned());
            message(set).field.push(field);
        });
        assert_eq!(broken, Vec::<String>::new());
        assert_eq!(
            new,
            ["field hotdeal.product.v1.DecreaseStockRequest 77 = string note"]
        );
    }
}
