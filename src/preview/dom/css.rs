//! CSS as it is written: rules, declarations, at-rules and mistakes with their lines; read with cssparser, never
//! refused as a whole for one bad rule.

use cssparser::{
    AtRuleParser, BasicParseErrorKind, CowRcStr, DeclarationParser, ParseError, ParseErrorKind, Parser, ParserState,
    QualifiedRuleParser, RuleBodyItemParser, RuleBodyParser, StyleSheetParser, Token, parse_important,
};

use super::Mistake;
use crate::text::plain;

/// `name: value`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declaration {
    /// The property in lower case.
    pub name: String,
    /// The value as it is written, without `!important`.
    pub value: String,
    /// Whether it is `!important`.
    pub important: bool,
    /// Its line, from 1.
    pub line: usize,
    /// What the value is made of.
    pub parts: Parts,
}

impl Declaration {
    /// Whether the value has this keyword among its words.
    #[must_use]
    pub fn has(&self, keyword: &str) -> bool {
        self.parts.idents.iter().any(|ident| ident == keyword)
    }

    /// The value in pixels where it is one plain length in `px` or 0.
    #[must_use]
    pub fn pixels(&self) -> Option<f32> {
        match self.parts.lengths.as_slice() {
            [(value, unit)] if self.parts.idents.is_empty() && (unit == "px" || *value == 0.0) => Some(*value),
            _ => None,
        }
    }
}

/// What a value is made of, blocks and functions included; all in lower case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    /// Its keywords.
    pub idents: Vec<String>,
    pub functions: Vec<String>,
    /// Its numbers with their units, `%` among them and nothing for a bare number.
    pub lengths: Vec<(f32, String)>,
    /// The addresses in `url(…)`, as written.
    pub urls: Vec<String>,
}

// Numbers of a parsed style are never NaN.
impl Eq for Parts {}

/// A rule with its selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The selectors as they are written.
    pub selector: String,
    /// The at-rules it stands in, outermost first, such as `media (max-width: 480px)`, in lower case.
    pub within: Vec<String>,
    /// Whether it stands in another rule.
    pub nested: bool,
    /// Its line, from 1.
    pub line: usize,
    /// What it declares.
    pub declarations: Vec<Declaration>,
}

/// `@name prelude`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtRule {
    /// Its name in lower case, without a vendor's prefix.
    pub name: String,
    /// What stands between name and block, in lower case.
    pub prelude: String,
    /// Its line, from 1.
    pub line: usize,
}

/// A style sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Its rules in order, those within at-rules too, but not those of `@keyframes`.
    pub rules: Vec<Rule>,
    /// Its at-rules in order.
    pub at_rules: Vec<AtRule>,
    /// What could not be read.
    pub mistakes: Vec<Mistake>,
}

/// Reads a style sheet that begins in this line.
#[must_use]
pub fn sheet(css: &str, line: usize) -> Sheet {
    let mut input = Parser::new(css);
    let mut reader = Reader { first: line, sheet: Sheet::default(), within: Vec::new(), nested: false };
    let mut mistakes = Vec::new();
    for item in StyleSheetParser::new(&mut input, &mut reader) {
        if let Err((error, text, at)) = item {
            mistakes.push(mistake(&error, text, line + at.line as usize));
        }
    }
    reader.sheet.mistakes.append(&mut mistakes);
    reader.sheet.mistakes.sort_by_key(|mistake| mistake.line);
    reader.sheet
}

/// Reads a `style` attribute of an element in this line.
#[must_use]
pub fn declarations(style: &str, line: usize) -> (Vec<Declaration>, Vec<Mistake>) {
    let mut input = Parser::new(style);
    let mut reader = Reader { first: line, sheet: Sheet::default(), within: Vec::new(), nested: true };
    let declared = reader.body(&mut input);
    (declared, reader.sheet.mistakes)
}

struct Reader {
    first: usize,
    sheet: Sheet,
    within: Vec<String>,
    nested: bool,
}

impl Reader {
    fn line(&self, state: &ParserState) -> usize {
        self.first + state.source_location().line as usize
    }

    fn body(&mut self, input: &mut Parser<'_>) -> Vec<Declaration> {
        let mut declared = Vec::new();
        let mut mistakes = Vec::new();
        for item in RuleBodyParser::new(input, self) {
            match item {
                Ok(Some(declaration)) => declared.push(declaration),
                Ok(None) => {}
                Err((error, text, at)) => mistakes.push((mistake(&error, text, 0), at.line as usize)),
            }
        }
        let first = self.first;
        self.sheet.mistakes.extend(mistakes.into_iter().map(|(found, at)| Mistake { line: first + at, ..found }));
        declared
    }
}

type Failed = ParseError<()>;

impl<'i> DeclarationParser<'i> for Reader {
    type Declaration = Option<Declaration>;
    type Error = ();

    fn parse_value(
        &mut self,
        name: CowRcStr<'i>,
        input: &mut Parser<'i>,
        start: &ParserState,
    ) -> Result<Self::Declaration, Failed> {
        let begin = input.position();
        let mut end = begin;
        let mut parts = Parts::default();
        let mut important = false;
        while !input.is_exhausted() {
            if input.try_parse(parse_important).is_ok() {
                important = true;
                // Nothing may follow.
                input.expect_exhausted()?;
                break;
            }
            take(input, &mut parts)?;
            end = input.position();
        }
        let value = input.slice(begin..end).trim().to_owned();
        if value.is_empty() && !name.starts_with("--") {
            return Err(ParseError::custom(()));
        }
        Ok(Some(Declaration { name: name.to_ascii_lowercase(), value, important, line: self.line(start), parts }))
    }
}

impl<'i> QualifiedRuleParser<'i> for Reader {
    type Prelude = String;
    type QualifiedRule = Option<Declaration>;
    type Error = ();

    fn parse_prelude(&mut self, input: &mut Parser<'i>) -> Result<String, Failed> {
        let begin = input.position();
        while let Ok(token) = input.next_including_whitespace_and_comments() {
            if token.is_parse_error() {
                return Err(ParseError::unexpected_token());
            }
        }
        let prelude = input.slice_from(begin).trim().to_owned();
        if prelude.is_empty() { Err(ParseError::unexpected_token()) } else { Ok(prelude) }
    }

    fn parse_block(
        &mut self,
        selector: String,
        start: &ParserState,
        input: &mut Parser<'i>,
    ) -> Result<Self::QualifiedRule, Failed> {
        let outer = std::mem::replace(&mut self.nested, true);
        let at = self.sheet.rules.len();
        let line = self.line(start);
        let declarations = self.body(input);
        self.nested = outer;
        let rule = Rule { selector, within: self.within.clone(), nested: outer, line, declarations };
        // Before those that stand within it.
        self.sheet.rules.insert(at, rule);
        Ok(None)
    }
}

impl<'i> AtRuleParser<'i> for Reader {
    type Prelude = (String, String);
    type AtRule = Option<Declaration>;
    type Error = ();

    fn parse_prelude(&mut self, name: CowRcStr<'i>, input: &mut Parser<'i>) -> Result<(String, String), Failed> {
        let name = name.to_ascii_lowercase();
        let bare = name.strip_prefix('-').and_then(|name| name.split_once('-')).map_or(&*name, |(_, bare)| bare);
        Ok((bare.to_owned(), rest(input).to_ascii_lowercase()))
    }

    fn rule_without_block(&mut self, (name, prelude): Self::Prelude, start: &ParserState) -> Result<Self::AtRule, ()> {
        self.sheet.at_rules.push(AtRule { name, prelude, line: self.line(start) });
        Ok(None)
    }

    fn parse_block(
        &mut self,
        (name, prelude): Self::Prelude,
        start: &ParserState,
        input: &mut Parser<'i>,
    ) -> Result<Self::AtRule, Failed> {
        self.sheet.at_rules.push(AtRule { name: name.clone(), prelude: prelude.clone(), line: self.line(start) });
        if matches!(&*name, "media" | "supports" | "layer" | "container" | "document") {
            self.within.push(format!("{name} {prelude}").trim_end().to_owned());
            if self.nested {
                self.body(input);
            } else {
                let mut mistakes = Vec::new();
                for item in StyleSheetParser::new(input, self) {
                    if let Err((error, text, at)) = item {
                        mistakes.push((mistake(&error, text, 0), at.line as usize));
                    }
                }
                let first = self.first;
                self.sheet
                    .mistakes
                    .extend(mistakes.into_iter().map(|(found, at)| Mistake { line: first + at, ..found }));
            }
            self.within.pop();
        } else {
            // Keyframes, fonts and pages: nothing that the cascade knows.
            rest(input);
        }
        Ok(None)
    }
}

impl RuleBodyItemParser<'_, Option<Declaration>, ()> for Reader {
    fn parse_declarations(&self) -> bool {
        true
    }

    fn parse_qualified(&self) -> bool {
        // A `style` attribute has no rules in it, but then a mistake is a mistake either way.
        true
    }
}

/// What is left of the input, as it is written.
fn rest(input: &mut Parser<'_>) -> String {
    let begin = input.position();
    while input.next_including_whitespace_and_comments().is_ok() {}
    input.slice_from(begin).trim().to_owned()
}

/// Takes the next token and what is in it.
fn take(input: &mut Parser<'_>, parts: &mut Parts) -> Result<(), Failed> {
    let token = input.next()?.clone();
    match &token {
        Token::Ident(name) => parts.idents.push(name.to_ascii_lowercase()),
        Token::Function(name) => {
            let name = name.to_ascii_lowercase();
            if name == "url" {
                parts.urls.push(input.parse_nested_block(|input| Ok::<_, Failed>(input.expect_string()?.to_string()))?);
                return Ok(());
            }
            parts.functions.push(name);
        }
        Token::UnquotedUrl(url) => parts.urls.push(url.to_string()),
        Token::Number { value, .. } => parts.lengths.push((*value, String::new())),
        Token::Percentage { unit_value, .. } => parts.lengths.push((*unit_value * 100.0, "%".to_owned())),
        Token::Dimension { value, unit, .. } => parts.lengths.push((*value, unit.to_ascii_lowercase())),
        // `!important` is the only mark that may stand in a value.
        Token::Delim('!') | Token::Semicolon => return Err(ParseError::unexpected_token()),
        token if token.is_parse_error() => return Err(ParseError::unexpected_token()),
        _ => {}
    }
    if matches!(
        token,
        Token::Function(_) | Token::ParenthesisBlock | Token::SquareBracketBlock | Token::CurlyBracketBlock
    ) {
        if token == Token::CurlyBracketBlock {
            return Err(ParseError::unexpected_token());
        }
        input.parse_nested_block(|input| {
            while !input.is_exhausted() {
                take(input, parts)?;
            }
            Ok::<_, Failed>(())
        })?;
    }
    Ok(())
}

fn mistake(error: &Failed, text: &str, line: usize) -> Mistake {
    let what = match &error.kind {
        ParseErrorKind::Basic(BasicParseErrorKind::EndOfInput) => "it ends too early",
        ParseErrorKind::Basic(BasicParseErrorKind::QualifiedRuleInvalid) => "it is no rule",
        ParseErrorKind::Basic(_) => "something in it stands where it may not",
        ParseErrorKind::Custom(()) => "it has no value",
    };
    let start: String = text.trim().chars().take(40).collect();
    Mistake { line, message: format!("`{}` cannot be read: {what}", plain(&start)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(declared: &[Declaration]) -> Vec<String> {
        declared
            .iter()
            .map(|one| format!("{}={}{}", one.name, one.value, if one.important { "!" } else { "" }))
            .collect()
    }

    #[test]
    fn rules_have_lines_and_what_they_stand_in() {
        let css = "a { color: red }\n@media (max-width: 480px) {\n  .Card, p > b { width: 100% !important;\n  padding: 0 }\n}\n@import url(x.css);";
        let sheet = sheet(css, 10);
        assert_eq!(sheet.mistakes, []);
        let found: Vec<(usize, &str, &[String])> =
            sheet.rules.iter().map(|rule| (rule.line, &*rule.selector, &*rule.within)).collect();
        let media = ["media (max-width: 480px)".to_owned()];
        assert_eq!(found, [(10, "a", &[][..]), (12, ".Card, p > b", &media[..])]);
        assert_eq!(names(&sheet.rules[1].declarations), ["width=100%!", "padding=0"]);
        assert_eq!(sheet.rules[1].declarations[1].line, 13);
        let rules: Vec<(&str, usize)> = sheet.at_rules.iter().map(|rule| (&*rule.name, rule.line)).collect();
        assert_eq!(rules, [("media", 11), ("import", 15)]);
    }

    #[test]
    fn values_are_taken_apart() {
        let (declared, mistakes) = declarations(
            "width: calc(100% - 2rem); background: url('a.png') no-repeat, linear-gradient(#fff, RED); margin:-4px auto",
            3,
        );
        assert_eq!(mistakes, []);
        assert_eq!(declared[0].parts.functions, ["calc"]);
        assert_eq!(declared[0].parts.lengths, [(100.0, "%".to_owned()), (2.0, "rem".to_owned())]);
        assert_eq!(declared[1].parts.urls, ["a.png"]);
        assert!(declared[1].has("red") && declared[1].parts.functions == ["linear-gradient"]);
        assert!(declared[2].has("auto") && declared[2].parts.lengths[0].0 < 0.0 && declared[2].line == 3);
    }

    #[test]
    fn mistakes_cost_only_themselves() {
        let table = [
            ("color red; width: 1px", "width=1px"),
            ("width: 1px; color: ; height: 2px", "width=1px height=2px"),
            ("width: 1px }; height: 2px", "height=2px"),
            ("color: red blue) ; width: 1px", "width=1px"),
            ("color: red !importent; width: 1px", "width=1px"),
        ];
        for (style, left) in table {
            let (declared, mistakes) = declarations(style, 1);
            assert!(!mistakes.is_empty(), "{style}");
            assert!(names(&declared).join(" ").starts_with(left), "{style} parses to {declared:?}");
        }
        let sheet = sheet("a { color red }\nb { width: 1px }\n} c { width: 2px }\n d ", 1);
        assert_eq!(sheet.mistakes.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(names(&sheet.rules[1].declarations), ["width=1px"]);
        for fine in ["", "  ", ";", "color: red;;", "/* x */ color: red", "--x: ; width: 1px", "mso-hide: all"] {
            assert_eq!(declarations(fine, 1).1, [], "{fine}");
        }
    }

    #[test]
    fn nothing_is_too_deep() {
        let deep = "a{".repeat(50_000);
        assert!(!sheet(&deep, 1).mistakes.is_empty());
        let _ = declarations(&format!("width: {}", "calc(".repeat(50_000)), 1);
        let _ = sheet(&"@media x {".repeat(50_000), 1);
    }
}
