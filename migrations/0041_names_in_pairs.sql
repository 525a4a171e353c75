-- What names beyond ASCII are found by: their characters in pairs, in the order in which they stand. Two syllables are a
-- Korean's given name, and too short for trigrams. The name is normalized first, since a Mac takes its letters apart, in
-- lower case and without spaces. A line feed stands for its beginning; the first letters of Hangul syllables follow in the
-- same way (src/domain/filter/pairs.rs says the same for what is looked for).
--
-- `김 미나` is `␊김 김미 미나 ␊ㄱ ㄱㅁ ㅁㄴ`. Two pairs that stand side by side and overlap are three characters that do, so
-- `like` finds in it what is longer than a pair, exactly.
create function name_pairs(name text) returns text language plpgsql immutable strict parallel safe as $$
declare
    initials constant text := 'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ';
    letter text;
    initial text;
    letter_before text := e'\n';
    initial_before text := e'\n';
    pairs text := '';
    pairs_of_initials text := '';
begin
    if octet_length(name) = char_length(name) then
        return '';
    end if;
    foreach letter in array
        string_to_array(regexp_replace(lower(normalize(name, nfc)), '\s+', '', 'g'), null)
    loop
        pairs := pairs || letter_before || letter || ' ';
        letter_before := letter;
        if letter between '가' and '힣' collate "C" then
            initial := substr(initials, (ascii(letter) - 44032) / 588 + 1, 1);
            pairs_of_initials := pairs_of_initials || initial_before || initial || ' ';
            initial_before := initial;
        end if;
    end loop;
    return rtrim(pairs || pairs_of_initials, ' ');
end
$$;
