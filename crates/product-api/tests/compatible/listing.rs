//! What the protos say, one line for everything that a client relies on.

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet, MethodDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

/// Every message, field, enum value and method of our own packages, in the order of the files.
pub(crate) fn of(set: &FileDescriptorSet) -> String {
    let mut lines = Vec::new();
    let own = |file: &&FileDescriptorProto| file.package().starts_with("hotdeal.");
    for file in set.file.iter().filter(own) {
        for service in &file.service {
            let service_name = format!("{}.{}", file.package(), service.name());
            lines.push(format!("service {service_name}"));
            let methods = service.method.iter();
            lines.extend(methods.map(|method| of_method(&service_name, method)));
        }
        for message in &file.message_type {
            add_message(&mut lines, file.package(), message);
        }
        for values in &file.enum_type {
            add_enum(&mut lines, file.package(), values);
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn of_method(service_name: &str, method: &MethodDescriptorProto) -> String {
    let streamed = |is_streamed| if is_streamed { "stream " } else { "" };
    format!(
        "method {service_name}.{} ({}{}) returns ({}{})",
        method.name(),
        streamed(method.client_streaming()),
        method.input_type(),
        streamed(method.server_streaming()),
        method.output_type(),
    )
}

fn add_message(lines: &mut Vec<String>, parent: &str, message: &DescriptorProto) {
    let name = format!("{parent}.{}", message.name());
    lines.push(format!("message {name}"));
    let fields = message.field.iter();
    lines.extend(fields.map(|field| of_field(&name, message, field)));
    for values in &message.enum_type {
        add_enum(lines, &name, values);
    }
    for nested in &message.nested_type {
        add_message(lines, &name, nested);
    }
}

fn of_field(message_name: &str, message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let label = match field.label() {
        Label::Repeated => "repeated ",
        _ if field.proto3_optional() => "optional ",
        _ => "",
    };
    let kind = match field.r#type() {
        Type::Message | Type::Enum => field.type_name().to_owned(),
        plain => plain
            .as_str_name()
            .trim_start_matches("TYPE_")
            .to_lowercase(),
    };
    // The compiler makes a group of its own for every `optional` field.
    let group = field.oneof_index.filter(|_| !field.proto3_optional());
    let group = group.and_then(|index| message.oneof_decl.get(usize::try_from(index).ok()?));
    let group = group.map_or_else(String::new, |group| format!(" in oneof {}", group.name()));
    format!(
        "field {message_name} {} = {label}{kind} {}{group}",
        field.number(),
        field.name(),
    )
}

fn add_enum(lines: &mut Vec<String>, parent: &str, values: &EnumDescriptorProto) {
    let name = format!("{parent}.{}", values.name());
    lines.push(format!("enum {name}"));
    let values = values.value.iter();
    lines.extend(values.map(|value| format!("value {name} {} = {}", value.number(), value.name())));
}
