//! Says whether code is among what somebody named: `myapp.*`, `shop.models.Order.add`.

/// Whether one of the patterns names the function, or the module or class that it is in. A module is called by the end of its
/// path, as long as the pattern wants it: `models.Order` and `shop.models` both name what is in `/srv/shop/models.py`.
pub(crate) fn is_named(patterns: &[String], path: &str, function: &str) -> bool {
    let module = path.strip_suffix(".py").unwrap_or(path);
    let name = format!("{}.{function}", module.strip_suffix("/__init__").unwrap_or(module).replace('/', "."));
    let starts = std::iter::once(0).chain(name.match_indices('.').map(|(dot, _)| dot + 1));
    let ends = || name.match_indices('.').map(|(dot, _)| dot).chain([name.len()]);
    { starts }.any(|start| {
        ends().filter(|&end| end > start).any(|end| patterns.iter().any(|pattern| fits(pattern, &name[start..end])))
    })
}

/// Whether a text is as a pattern says, in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let (pieces, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in pieces.split('*') {
        match text.split_once(piece) {
            Some((_, behind)) => text = behind,
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::is_named;

    #[test]
    fn code_is_named_by_its_module_its_class_or_itself() {
        let names = |pattern: &str| is_named(&[pattern.to_owned()], "/srv/shop/models/__init__.py", "Order.add");
        for pattern in ["shop.*", "shop", "models.Order", "shop.models.Order.add", "*.add", "sh*.Order.*", "Order.add"]
        {
            assert!(names(pattern), "{pattern}");
        }
        for pattern in ["op.*", "shop.mode", "Order.ad", "models.Line.*", "", "shop.models.py"] {
            assert!(!names(pattern), "{pattern}");
        }
    }
}
