//! The kubeconfig that k3s writes, made usable from elsewhere.

/// Replaces the address of the API server (k3s writes 127.0.0.1) by `endpoint`, and the name `default` of cluster, user and
/// context by `name`. `endpoint` is a host, `host:port` or an https URL; without a port the one that k3s wrote stays.
///
/// Works on lines: the file has a fixed form, and everything else in it shall stay byte for byte.
pub(super) fn rewrite(config: &str, endpoint: &str, name: Option<&str>) -> String {
    let mut lines = Vec::new();
    for line in config.lines() {
        let trimmed = line.trim_start().trim_start_matches("- ");
        let indent = &line[..line.len() - trimmed.len()];
        if let Some(server) = trimmed.strip_prefix("server:") {
            lines.push(format!("{indent}server: {}", address(endpoint, server.trim())));
            continue;
        }
        let named = name.and_then(|name| {
            let key = ["name", "cluster", "user", "current-context"]
                .into_iter()
                .find(|key| trimmed == format!("{key}: default"))?;
            Some(format!("{indent}{key}: {name}"))
        });
        lines.push(named.unwrap_or_else(|| line.to_owned()));
    }
    lines.join("\n") + "\n"
}

/// The host part of an endpoint, without scheme, port and path: what the server's certificate must name.
pub(super) fn host_of(endpoint: &str) -> &str {
    let rest = endpoint.strip_prefix("https://").unwrap_or(endpoint);
    let rest = rest.split('/').next().unwrap_or_default();
    split_port(rest).0
}

fn address(endpoint: &str, former: &str) -> String {
    let rest = endpoint.strip_prefix("https://").unwrap_or(endpoint).trim_end_matches('/');
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, format!("/{path}")),
        None => (rest, String::new()),
    };
    let (host, port) = split_port(authority);
    let former = former.trim_matches('"').strip_prefix("https://").unwrap_or(former);
    let port = port.or(split_port(former).1).unwrap_or("6443");
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    format!("https://{host}:{port}{path}")
}

/// Host and port; brackets around an IPv6 address are taken off.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, Some(port)),
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: ZGVmYXVsdA==\n    server: https://127.0.0.1:6443\n  name: default\ncontexts:\n- context:\n    cluster: default\n    user: default\n  name: default\ncurrent-context: default\nkind: Config\npreferences: {}\nusers:\n- name: default\n  user:\n    client-key-data: eA==\n";

    #[test]
    fn the_server_is_replaced_and_nothing_else() {
        for (endpoint, server) in [
            ("vps.internal", "https://vps.internal:6443"),
            ("vps.internal:443", "https://vps.internal:443"),
            ("https://api.example.com", "https://api.example.com:6443"),
            ("https://api.example.com:8443/k3s", "https://api.example.com:8443/k3s"),
            ("10.0.0.7", "https://10.0.0.7:6443"),
            ("::1", "https://[::1]:6443"),
            ("[::1]:7443", "https://[::1]:7443"),
        ] {
            assert_eq!(
                rewrite(WRITTEN, endpoint, None),
                WRITTEN.replace("https://127.0.0.1:6443", server),
                "{endpoint}"
            );
        }
        let other_port = WRITTEN.replace(":6443", ":7000");
        assert!(rewrite(&other_port, "vps", None).contains("server: https://vps:7000\n"));
    }

    #[test]
    fn a_name_takes_the_place_of_default() {
        let named = rewrite(WRITTEN, "127.0.0.1", Some("staging"));
        assert_eq!(named, WRITTEN.replace(" default", " staging"));
        assert_eq!(named.matches("staging").count(), 6);
    }

    #[test]
    fn certificates_name_hosts() {
        for (endpoint, host) in [("a", "a"), ("a:1", "a"), ("https://a:1/x", "a"), ("::1", "::1"), ("[::1]:1", "::1")] {
            assert_eq!(host_of(endpoint), host);
        }
    }
}
