//! Functions on address ranges such as `10.0.0.0/8`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::arguments::{number, text, whole};
use super::{Context, Function, FunctionError, Param, Returns};
use crate::value::{Type, Value};

/// How many bits `cidrsubnets` may add at once.
const MOST_NEW_BITS: i64 = 32;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "cidrcontains",
        &[Param::string("containing_prefix"), Param::string("contained_ip_or_prefix")],
        Returns::Bool,
        contains,
    ),
    Function::new("cidrhost", &[Param::string("prefix"), Param::number("hostnum")], Returns::String, host),
    Function::new("cidrnetmask", &[Param::string("prefix")], Returns::String, netmask),
    Function::new(
        "cidrsubnet",
        &[Param::string("prefix"), Param::number("newbits"), Param::number("netnum")],
        Returns::String,
        subnet,
    ),
    Function::new("cidrsubnets", &[Param::string("prefix")], Returns::NotNull(|_| Type::list(Type::String)), subnets)
        .variadic(Param::number("newbits")),
];

/// A range of addresses. Addresses are numbers; those of version 4 fill the lowest 32 bits.
#[derive(Clone, Copy)]
struct Prefix {
    base: u128,
    length: u32,
    /// Bits of an address: 32 or 128.
    size: u32,
}

impl Prefix {
    /// Reads `10.0.0.0/8` or `fd00::/8`; bits beyond the length are dropped.
    fn parse(text: &str) -> Result<Prefix, String> {
        let invalid = || format!("invalid CIDR expression: invalid CIDR address: {text}");
        let (address, length) = text.split_once('/').ok_or_else(invalid)?;
        let (base, size) = parse_address(address).ok_or_else(invalid)?;
        let plain = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let length = length.parse().ok().filter(|length| plain && *length <= size).ok_or_else(invalid)?;
        let prefix = Prefix { base, length, size };
        Ok(Prefix { base: base & !prefix.host_mask(), ..prefix })
    }

    /// The bits that number hosts.
    fn host_mask(self) -> u128 {
        low_bits(self.size - self.length)
    }

    /// The last address.
    fn last(self) -> u128 {
        self.base | self.host_mask()
    }

    fn address(self, address: u128) -> String {
        show_address(address, self.size)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address(self.base), self.length)
    }
}

fn low_bits(count: u32) -> u128 {
    if count >= 128 { u128::MAX } else { (1 << count) - 1 }
}

fn show_address(address: u128, size: u32) -> String {
    match u32::try_from(address) {
        Ok(short) if size == 32 => Ipv4Addr::from(short).to_string(),
        _ => Ipv6Addr::from(address).to_string(),
    }
}

/// An address and its size in bits. Zeros in front of decimal numbers are passed over, as Terraform does.
fn parse_address(text: &str) -> Option<(u128, u32)> {
    if text.contains(':') {
        return Some((text.parse::<Ipv6Addr>().ok()?.into(), 128));
    }
    let mut address: u128 = 0;
    let mut count = 0;
    for part in text.split('.') {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        address = address << 8 | u128::from(part.parse::<u8>().ok()?);
        count += 1;
    }
    (count == 4).then_some((address, 32))
}

fn parse(arguments: &[Value]) -> Result<Prefix, FunctionError> {
    Prefix::parse(text(arguments, 0)).map_err(FunctionError::failed)
}

fn contains(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let outer = Prefix::parse(text(arguments, 0)).map_err(FunctionError::failed)?;
    let inner = text(arguments, 1);
    let inner = match parse_address(inner) {
        Some((base, size)) => Prefix { base, length: size, size },
        None => Prefix::parse(inner)
            .map_err(|_| FunctionError::argument(1, format!("invalid IP address or prefix: {inner}")))?,
    };
    if outer.size != inner.size {
        return Err(FunctionError::failed(format!("address family mismatch: {outer} vs. {inner}")));
    }
    Ok(Value::Bool(outer.base <= inner.base && inner.last() <= outer.last()))
}

fn host(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let wanted = number(arguments, 1);
    let Some(index) = wanted.as_integer() else { return Err(FunctionError::failed("value must be a whole number")) };
    let prefix = parse(arguments)?;
    let length = prefix.length;
    let outside = || FunctionError::failed(format!("prefix of {length} does not accommodate a host numbered {wanted}"));
    // Negative numbers count from the end.
    let magnitude = u128::try_from(wanted.abs().as_integer().unwrap_or(index)).map_err(|_| outside())?;
    let offset = if wanted.is_negative() { magnitude - 1 } else { magnitude };
    if offset > prefix.host_mask() {
        return Err(outside());
    }
    let address = if wanted.is_negative() { prefix.last() - offset } else { prefix.base + offset };
    Ok(Value::string(prefix.address(address)))
}

fn netmask(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let prefix = parse(arguments)?;
    // What stands for an address of version 4 counts as one.
    if prefix.size != 32 && prefix.base >> 32 == 0xffff {
        let mask = low_bits(128) & !prefix.host_mask();
        return Ok(Value::string(prefix.address(mask)));
    }
    if prefix.size != 32 {
        let message = format!("IPv6 addresses cannot have a netmask: {}", text(arguments, 0));
        return Err(FunctionError::failed(message));
    }
    Ok(Value::string(prefix.address(low_bits(32) & !prefix.host_mask())))
}

fn subnet(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let new_bits = whole(arguments, 1)?;
    let net = number(arguments, 2);
    let Some(index) = net.as_integer() else { return Err(FunctionError::failed("value must be a whole number")) };
    let prefix = parse(arguments)?;
    let available = prefix.size - prefix.length;
    let new_bits = u32::try_from(new_bits)
        .map_err(|_| FunctionError::argument(1, "the number of new bits must not be negative"))?;
    if new_bits > available {
        let length = prefix.length;
        let message = format!("insufficient address space to extend prefix of {length} by {new_bits}");
        return Err(FunctionError::failed(message));
    }
    let index = u128::try_from(index).ok().filter(|index| *index <= low_bits(new_bits)).ok_or_else(|| {
        FunctionError::failed(format!("prefix extension of {new_bits} does not accommodate a subnet numbered {net}"))
    })?;
    let length = prefix.length + new_bits;
    let base = if length == prefix.length { prefix.base } else { prefix.base | index << (prefix.size - length) };
    Ok(Value::string(Prefix { base, length, ..prefix }.to_string()))
}

fn subnets(arguments: &[Value], _: &Context<'_>) -> Result<Value, FunctionError> {
    let prefix = Prefix::parse(text(arguments, 0)).map_err(|reason| FunctionError::argument(0, reason))?;
    let mut previous: Option<Prefix> = None;
    let mut found = Vec::new();
    for index in 1..arguments.len() {
        let new_bits = whole(arguments, index)?;
        let wrong = |message: String| FunctionError::argument(index, message);
        let new_bits = match u32::try_from(new_bits) {
            Ok(0) | Err(_) => return Err(wrong("must extend prefix by at least one bit".into())),
            Ok(_) if new_bits > MOST_NEW_BITS => {
                return Err(wrong(format!("may not extend prefix by more than {MOST_NEW_BITS} bits")));
            }
            Ok(bits) => bits,
        };
        let length = prefix.length + new_bits;
        if length > prefix.size {
            let family = if prefix.size == 32 { "IPv4" } else { "IPv6" };
            let message = format!("would extend prefix to {length} bits, which is too long for an {family} address");
            return Err(wrong(message));
        }
        let base = match previous {
            None => Some(prefix.base),
            // The first address after the previous subnet at which one of this size may begin.
            Some(previous) => {
                let mask = low_bits(prefix.size - length);
                let next = previous.last().checked_add(1).and_then(|next| next.checked_add(mask));
                next.map(|next| next & !mask).filter(|next| *next <= prefix.last())
            }
        };
        let Some(base) = base else {
            let after = previous.map_or_else(String::new, |previous| format!(" after {previous}"));
            let message =
                format!("not enough remaining address space for a subnet with a prefix of {length} bits{after}");
            return Err(wrong(message));
        };
        let subnet = Prefix { base, length, ..prefix };
        found.push(Value::string(subnet.to_string()));
        previous = Some(subnet);
    }
    Ok(Value::list(Type::String, found))
}
