"""Questions people ask of anybody, that hardly any persona's documents answer: what "I do not know" looks like.

A question nearer to one of these than to every passage is probably not for this persona. Those that a persona's own
documents do speak of are left out for it (`index.Index`): a kitchen's helper is asked for recipes.
"""

from __future__ import annotations

ELSEWHERE: tuple[str, ...] = tuple(
    line.strip()
    for line in """
    what is the capital of sweden
    how many people live in brazil
    which is the longest river in the world
    how far away is the moon
    why is the sky blue
    how fast does light travel
    what is the chemical formula of water
    how old is the earth
    who discovered america
    when did the second world war end
    who was the first emperor of rome
    who is the richest man in the world
    who is the queen of denmark
    who is the chancellor of germany
    who wrote war and peace
    who painted the sunflowers
    who composed the magic flute
    who directed that film
    which actor played james bond
    who sings this song
    what is the best film of all time
    what is on television tonight
    play my favourite song
    what happened in the news today
    what is the temperature outside
    will it rain this afternoon
    do i need an umbrella today
    what time is it in tokyo
    what day is it today
    when is easter this year
    how many days are there until christmas
    what is twelve times fifteen
    what is the square of nineteen
    how many feet are in a mile
    how do you say thank you in russian
    spell the word necessary
    what does this word mean
    how do i boil an egg
    what can i cook with potatoes
    how long does rice take
    can you give me a recipe for soup
    how do i get a wine stain out of a shirt
    how do i unblock a drain
    how do i paint a wall
    how do i sew on a button
    my fridge makes a strange noise
    the lamp in my room is broken
    my car does not start
    how do i change the oil of a car
    how much does petrol cost
    what is the speed limit on the motorway
    how do i get to the airport
    when does the next bus to the city leave
    which flights go to madrid
    book me a flight to rome
    find me a cheap hotel
    call me a taxi
    where is the nearest supermarket
    where can i buy shoes
    where is a good restaurant near here
    is there a pharmacy nearby
    is there a bank around here
    is there a playground near here
    reserve a table for tonight
    order some flowers for my wife
    what should i give my mother for her birthday
    how much is a ticket to the cinema
    which team won the match yesterday
    when is the next world championship
    who is the best player in the world
    how do i get better at tennis
    how do i lose weight
    what should i do against a headache
    is coffee bad for you
    how many calories does a banana have
    how do i train my dog
    why does my cat sleep so much
    what do rabbits eat
    how do i water a cactus
    when should i plant roses
    should i buy shares now
    what is the price of gold
    what is the exchange rate of the dollar
    how do i pay less tax
    how do i get a mortgage
    what is a good salary
    how much do you earn
    how much does the director earn
    who is the boss here
    what is the name of the manager
    who is the chairman of the board
    who founded this company
    how many people work here
    how much profit did you make last year
    what is your share price
    when was this building built
    how high is the building
    who is the architect of this house
    what colour are the walls
    may i bring my dog
    may i smoke here
    where is the toilet
    where can i leave my coat
    where can i get my hair cut
    do you sell stamps
    do you have a job for me
    how do i renew my passport
    how do i become a citizen
    how do i get married here
    how do i register a car
    whom should i vote for
    what do you think of the government
    is there a god
    what happens after we die
    what is love
    what is happiness
    do you believe in ghosts
    am i beautiful
    will you go out with me
    do you like chocolate
    what did you do yesterday
    what is your favourite colour
    do you have brothers or sisters
    can you dance
    can you sing a song for me
    can you drive a car
    can you think
    tell me a story
    tell me a secret
    read me a poem
    write an essay for me
    do my homework for me
    solve this equation for me
    send a message to my brother
    call my mother
    set an alarm for six
    remind me to buy milk
    turn on the light
    turn up the heating
    open the window
    take a photo of me
    what am i wearing
    what is behind me
    guess how old i am
    what is my name
    where did i put my glasses
    is there a cash machine here
    where can i wash my clothes
    who is the head of this department
    what is the director's phone number
    give me the mobile number of my colleague
    where does mister miller sit
    what is the surname of your founder
    who was in charge before
    how many employees are there
    how many visitors come each day
    what was the turnover last year
    which company made this
    who are your competitors
    when was the last update
    what is planned for next year
    is there a discount for pensioners
    can i get a refund
    can i pay by credit card
    where do i send a complaint
    do you have a brochure
    what is your postal address
    is there a first aid kit
    where is the fire exit
    is there a lost child
    may i bring my children
    can i take photographs here
    is there a cloakroom
    is there a garden party this summer
    is tomorrow a public holiday
    do i have to wear a tie
    can i have a day off
    how do i apply for parental leave
    how many hours do i have to work
    what will my pension be
    how do i get a company car
    how do i claim my expenses
    it is too cold in here
    the tap is dripping
    the window does not close
    there is a bad smell in the hall
    can i rent this room for my wedding
    do you rent out boats
    where can i charge my electric car
    can i leave my dog with you
    is there a vet nearby
    who is the most famous person here
    which is the most beautiful room
    tell me about the history of the town
    what is the mayor called
    how many inhabitants does the town have
    which party won the election
    can you recommend a lawyer
    which phone should i buy
    which television is the best
    how do i edit a film
    how do i make a chart
    how do i write a letter of application for a visa
    can you translate this letter for me
    explain quantum physics to me
    what is the difference between a virus and a bacterium
    how does a nuclear power station work
    what is the meaning of this proverb
    how does photosynthesis work
    when was the telephone invented
    do you know my friend peter
    have you been here long
    how many languages are there in the world
    can you hear the birds outside
    can you smell anything
    what do you look like from behind
    do you ever sleep
    who is your favourite singer
    can you play chess with me
    can you tell my fortune
    can you browse the internet for me
    can you ring somebody up for me
    may i speak to your brother
    how many stairs are there
    how thick is this wall
    what is the floor made of
    what is the best day for a visit to the zoo
    """.strip().splitlines()
)
